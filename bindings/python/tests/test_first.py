"""A store in a folder, from the first add to the second opening."""

from pathlib import Path

import pytest

import tenure


def test_what_was_committed_is_there_when_the_store_is_opened_again(tmp_path: Path) -> None:
    with tenure.open(tmp_path / "work.tenure") as store:
        store.add("map", "part-1")
        claimed = store.claim("map", lease=60)
        assert claimed is not None
        assert claimed.text() == "part-1"
        store.finish(claimed)
        store.put("done", "n", "1")
    with tenure.open(tmp_path / "work.tenure") as store:
        assert store.groups() == {}
        record = store.get("done", "n")
        assert record is not None
        assert record.value == b"1"
    with pytest.raises(tenure.Closed):
        store.add("map", "late")
