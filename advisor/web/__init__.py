"""The web page: a thin door to the engine. `serve.serve` starts it, `serve.build_app` gives the application without starting it."""
