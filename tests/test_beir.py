"""The retriever over folders in BEIR format."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from advisor.errors import InputError
from advisor.index.encoder import SentenceEncoder
from advisor.retrieve import CANDIDATES
from advisor.settings import Settings
from evals import beir
from evals.beir import ExactSearch, format_line, read_folder, run_beir
from tests.fakes import WordEncoder

# Made up; what each is about stands in its title alone, so that a retriever that leaves titles out finds the wrong one.
DOCUMENTS = (
    ("d1", "Tides", "The moon pulls the water of the oceans and it rises twice a day."),
    ("d2", "Bread", "Yeast eats sugar and gives off gas, which lifts the dough in a warm kitchen."),
    ("d3", "Bees", "A dance in the hive tells the others how far and in which direction the flowers are."),
    ("d4", "Rust", "Iron in damp air takes up oxygen and turns brown and brittle."),
    ("d5", "Glaciers", "Ice flows downhill under its own weight and grinds the rock below."),
)
QUERIES = (("q1", "why does dough rise with yeast"), ("q2", "how bees tell direction of flowers"), ("q3", "iron and oxygen"))
QRELS = (("q1", "d2", 1), ("q2", "d3", 1), ("q3", "d4", 1))


def write(
    folder: Path,
    documents: Sequence[tuple[str, str, str]] = DOCUMENTS,
    queries: Sequence[tuple[str, str]] = QUERIES,
    qrels: Sequence[tuple[str, str, int]] = QRELS,
    split: str = "test",
) -> Path:
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"_id": i, "title": title, "text": text, "metadata": {}}) for i, title, text in documents]
    (folder / "corpus.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "queries.jsonl").write_text("\n".join(json.dumps({"_id": i, "text": t}) for i, t in queries) + "\n", encoding="utf-8")
    rows = ["query-id\tcorpus-id\tscore", *(f"{q}\t{d}\t{s}" for q, d, s in qrels)]
    (folder / "qrels" / f"{split}.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


class PlaneEncoder(WordEncoder):
    """An encoder of points on the unit circle: a text that ends in a number is the point at that many degrees."""

    def encode(self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None) -> NDArray[np.float32]:
        self.texts += texts
        if progress:
            progress(len(texts))
        degrees = np.radians([float(text.split()[-1]) for text in texts])
        return np.stack([np.cos(degrees), np.sin(degrees)], axis=1).astype(np.float32)


def test_every_query_that_finds_its_document_first_gives_figures_of_one(tmp_path: Path, encoder: WordEncoder) -> None:
    result = run_beir(write(tmp_path / "small"), encoder, data_dir=tmp_path / "data")
    assert (result.ndcg_at_10, result.recall_at_100, result.mrr_at_10) == (1.0, 1.0, 1.0)
    assert (result.documents, result.queries, result.name, result.split) == (5, 3, "small", "test")
    assert format_line(result).startswith("nDCG@10 1.0000, recall@100 1.0000, MRR@10 1.0000, ")


def test_figures_are_those_worked_out_by_hand(tmp_path: Path) -> None:
    """Vectors alone decide, since no word is shared: the query at 0 degrees ranks 10, 20, 30 degrees. Gains 1 at 20 and 2 at 30 degrees."""
    documents = [("a", "", "alpha 10"), ("b", "", "beta 20"), ("c", "", "gamma 30")]
    folder = write(tmp_path / "plane", documents, [("q", "omega 0")], [("q", "b", 1), ("q", "c", 2)])
    result = run_beir(folder, PlaneEncoder(), data_dir=tmp_path / "data")
    expected = (1 / math.log2(3) + 2 / math.log2(4)) / (2 / math.log2(2) + 1 / math.log2(3))
    assert result.ndcg_at_10 == pytest.approx(expected, abs=1e-9)
    assert result.mrr_at_10 == pytest.approx(1 / 2)
    assert result.recall_at_100 == 1.0
    assert result.bm25.ndcg_at_10 == 0.0, "a ranking without any hit counts as 0"


def test_the_product_weighs_words_by_how_many_of_them_are_held(tmp_path: Path) -> None:
    """Two of the query's eight words stand in the third document: BM25 alone puts it first, an equal sum too, the product not."""
    documents = [("a", "", "alpha 2"), ("b", "", "beta 5"), ("c", "", "gamma delta 60"), ("d", "", "epsilon 80")]
    query = ("q", "gamma delta zeta eta theta iota kappa 1")
    result = run_beir(write(tmp_path / "w", documents, [query], [("q", "a", 1)]), PlaneEncoder(), data_dir=tmp_path / "data")
    assert result.bm25.mrr_at_10 < result.fused.mrr_at_10 == 1.0
    assert result.equal.mrr_at_10 < 1.0


def test_titles_are_searched(tmp_path: Path, encoder: WordEncoder) -> None:
    folder = write(tmp_path / "t", queries=[("q", "glaciers")], qrels=[("q", "d5", 1)])
    result = run_beir(folder, encoder, data_dir=tmp_path / "data")
    assert result.bm25.mrr_at_10 == result.dense.mrr_at_10 == result.mrr_at_10 == 1.0


def test_a_document_with_the_id_of_the_query_is_left_out(tmp_path: Path, encoder: WordEncoder) -> None:
    documents = [("same", "", "bees dance in the hive"), ("other", "", "bees and a hive"), ("third", "", "rust")]
    folder = write(tmp_path / "s", documents, [("same", "bees dance in the hive")], [("same", "other", 1)])
    assert run_beir(folder, encoder, data_dir=tmp_path / "data").mrr_at_10 == 1.0


def test_queries_that_nothing_judges_are_not_run(tmp_path: Path, encoder: WordEncoder) -> None:
    folder = write(tmp_path / "j", queries=[*QUERIES, ("q9", "nobody judges this")])
    assert run_beir(folder, encoder, data_dir=tmp_path / "data").queries == 3
    assert "nobody judges this" not in encoder.texts


def test_another_split_is_read_when_named(tmp_path: Path, encoder: WordEncoder) -> None:
    folder = write(tmp_path / "s")
    write(folder, qrels=QRELS[:1], split="dev")
    assert run_beir(folder, encoder, split="dev", data_dir=tmp_path / "data").queries == 1


def test_dense_search_over_blocks_is_that_over_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(301, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    query = vectors[[17, 250]]
    ids = tuple(f"d{n}" for n in range(len(vectors)))
    whole = ExactSearch(ids, (vectors,)).search("", query, top_k=20)
    parted = ExactSearch(ids, (vectors[:100], vectors[100:256], vectors[256:])).search("", query, top_k=20)
    assert [h.unit for h in whole] == [h.unit for h in parted]
    assert {h.unit for h in whole[:2]} == {"d17", "d250"}
    expected = np.sort((vectors @ query.T).max(axis=1))[::-1]
    assert [h.score for h in whole[:20]] == pytest.approx(expected[:20].tolist(), abs=1e-6)
    assert 20 <= len(whole) <= 40


def test_a_second_run_encodes_no_document_again_and_gives_the_same_figures(tmp_path: Path) -> None:
    folder, first, second = write(tmp_path / "c"), WordEncoder(), WordEncoder()
    one = run_beir(folder, first, data_dir=tmp_path / "data")
    two = run_beir(folder, second, data_dir=tmp_path / "data")
    assert (first.encoded, second.encoded) == (8, 3)
    assert (one.fused, one.dense, one.bm25, one.equal) == (two.fused, two.dense, two.bm25, two.equal)


def test_vectors_are_kept_in_the_data_folder_only(tmp_path: Path, encoder: WordEncoder) -> None:
    folder = write(tmp_path / "c")
    before = sorted(folder.rglob("*"))
    run_beir(folder, encoder)
    assert sorted(folder.rglob("*")) == before
    assert [p.suffix for p in (Settings().data_dir / "beir").iterdir()] == [".npy"]


@pytest.mark.parametrize("change", ["a text", "the encoder", "a damaged file"])
def test_vectors_that_no_longer_fit_are_made_again(tmp_path: Path, change: str) -> None:
    data = tmp_path / "data"
    run_beir(write(tmp_path / "c"), WordEncoder(), data_dir=data)
    if change == "a text":
        write(tmp_path / "c", [*DOCUMENTS[:4], ("d5", "Glaciers", "Ice.")])
    if change == "a damaged file":
        (stored,) = (data / "beir").iterdir()
        stored.write_bytes(stored.read_bytes()[:100])
    encoder = WordEncoder("words@2" if change == "the encoder" else "words@1")
    assert run_beir(tmp_path / "c", encoder, data_dir=data).mrr_at_10 == 1.0
    assert encoder.encoded == 8


def test_an_interrupted_run_keeps_the_blocks_that_were_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beir, "BLOCK", 2)

    class Interrupted(WordEncoder):
        def encode(self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None) -> NDArray[np.float32]:
            if self.encoded >= 4:
                raise KeyboardInterrupt
            return super().encode(texts, progress=progress)

    with pytest.raises(KeyboardInterrupt):
        run_beir(write(tmp_path / "c"), Interrupted(), data_dir=tmp_path / "data")
    encoder = WordEncoder()
    assert run_beir(tmp_path / "c", encoder, data_dir=tmp_path / "data").mrr_at_10 == 1.0
    assert encoder.encoded == 1 + 3, "the last document and the queries"


def test_progress_ends_at_all_documents_and_all_queries(tmp_path: Path, encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beir, "BLOCK", 2)
    told: list[tuple[str, int, int]] = []
    for _ in ("encoded", "stored"):
        told.clear()
        run_beir(write(tmp_path / "c"), encoder, data_dir=tmp_path / "data", progress=lambda *now: told.append(now))
        assert [(done, total) for stage, done, total in told if stage == "documents"] == [(2, 5), (4, 5), (5, 5)]
        assert told[-1] == ("queries", 3, 3)


def test_the_settings_are_those_of_the_product(tmp_path: Path, encoder: WordEncoder) -> None:
    settings = run_beir(write(tmp_path / "c"), encoder, data_dir=tmp_path / "data").settings
    assert (settings.candidates, settings.encoder) == (CANDIDATES, encoder.id)


def test_the_real_encoder_finds_what_shares_no_word_with_the_query(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "r", queries=[("q1", "corrosion of metal"), ("q2", "baking a loaf")], qrels=[("q1", "d4", 1), ("q2", "d2", 1)]
    )
    result = run_beir(folder, SentenceEncoder.from_setting(Settings().encoder), data_dir=tmp_path / "data")
    assert result.ndcg_at_10 == 1.0
    assert "all-MiniLM-L6-v2 alone 1.0000" in format_line(result)


def test_numbers_as_ids_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "n")
    (folder / "corpus.jsonl").write_bytes(b'\xef\xbb\xbf{"_id": 7, "text": "seven"}\r\n\r\n')
    (folder / "queries.jsonl").write_text('{"_id": 1, "text": "one"}\n', encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_bytes(b"query-id\tcorpus-id\tscore\r\n1\t7\t1\r\n")
    read = read_folder(folder)
    assert (dict(read.documents), dict(read.queries)) == ({"7": "seven"}, {"1": "one"})


@pytest.mark.parametrize("missing", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    folder = write(tmp_path / "m")
    (folder / missing).unlink()
    with pytest.raises(InputError, match="there is no file .*" + Path(missing).name):
        read_folder(folder)


def test_a_missing_split_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_folder(write(tmp_path / "m"), "dev")
    assert caught.value.hint == "The splits there are: test."


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no folder .*nowhere"):
        read_folder(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "line", "said"),
    [
        ("corpus.jsonl", '{"_id": "d9"}', "line 6: text: Field required"),
        ("corpus.jsonl", '{"_id": "d9", "text": ', "line 6: Invalid JSON"),
        ("corpus.jsonl", '{"_id": "d1", "text": "again"}', "line 6: the id 'd1' is there twice"),
        ("queries.jsonl", '["q9", "no object"]', "line 4: "),
        ("qrels/test.tsv", "q1 d1 1", "line 5 is not a judgment: 'q1 d1 1'"),
        ("qrels/test.tsv", "q1\td1\tyes", "line 5 is not a judgment"),
        ("qrels/test.tsv", "q1\td2\t0", "line 5: that pair is there twice"),
    ],
)
def test_a_bad_line_is_named_with_its_number(tmp_path: Path, name: str, line: str, said: str) -> None:
    path = write(tmp_path / "b") / name
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_folder(tmp_path / "b")
    assert path.name in str(caught.value)
    assert said in str(caught.value)
    assert caught.value.hint


def test_text_that_is_not_utf_8_is_said_so(tmp_path: Path) -> None:
    folder = write(tmp_path / "u")
    (folder / "queries.jsonl").write_bytes('{"_id": "q1", "text": "café"}\n'.encode("latin-1"))
    with pytest.raises(InputError, match=r"queries\.jsonl.* is not UTF-8"):
        read_folder(folder)


@pytest.mark.parametrize("content", ["", "query-id\tcorpus-id\tscore\n", "\n\n"])
def test_qrels_without_judgments_are_refused(tmp_path: Path, content: str) -> None:
    folder = write(tmp_path / "e")
    (folder / "qrels" / "test.tsv").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="holds no judgments"):
        read_folder(folder)


def test_qrels_without_a_header_are_refused_rather_than_robbed_of_a_judgment(tmp_path: Path) -> None:
    folder = write(tmp_path / "h")
    (folder / "qrels" / "test.tsv").write_text("q1\td2\t1\nq2\td3\t1\n", encoding="utf-8")
    with pytest.raises(InputError, match="no header"):
        read_folder(folder)


def test_qrels_that_name_unknown_ids_say_how_many(tmp_path: Path) -> None:
    folder = write(tmp_path / "x", qrels=[*QRELS, ("q1", "d77", 1), ("q1", "d78", 0), ("q8", "d1", 1)])
    with pytest.raises(InputError) as caught:
        read_folder(folder)
    assert "names 1 query that queries.jsonl does not hold (the first is 'q8')" in str(caught.value)
    assert "2 documents that corpus.jsonl does not hold (the first is 'd77')" in str(caught.value)


def test_an_empty_corpus_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "e")
    (folder / "corpus.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"corpus\.jsonl' is empty"):
        read_folder(folder)
