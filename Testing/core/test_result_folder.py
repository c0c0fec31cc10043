import pytest
from OVFRiskLib.errors import UserError
from OVFRiskLib.files.result_folder import result_folder


def write(out, text, overwrite=False):
    with result_folder(out, overwrite) as folder:
        (folder / "run.json").write_text(text)


def break_off(out, stop):
    with result_folder(out, overwrite=True) as folder:
        (folder / "run.json").write_text("half")
        raise stop


def entries(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_result_appears_whole(tmp_path):
    write(tmp_path / "deep" / "out", "{}")
    assert entries(tmp_path / "deep") == ["out"]
    assert (tmp_path / "deep" / "out").stat().st_mode & 0o700 == 0o700


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt])
def test_a_broken_run_leaves_nothing_and_harms_nothing(tmp_path, stop):
    out = tmp_path / "out"
    write(out, "old")
    with pytest.raises(stop):
        break_off(out, stop)
    assert entries(tmp_path) == ["out"]
    assert (out / "run.json").read_text() == "old"


def test_an_earlier_result_is_replaced_only_when_asked(tmp_path):
    out = tmp_path / "out"
    write(out, "old")
    with pytest.raises(UserError, match="--overwrite"):
        write(out, "new")
    write(out, "new", overwrite=True)
    assert (out / "run.json").read_text() == "new"
    assert entries(tmp_path) == ["out"]


def test_a_folder_that_is_no_result_is_never_replaced(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(UserError, match="no earlier result"):
        write(tmp_path / "thesis", "{}", overwrite=True)
    assert (tmp_path / "thesis" / "chapter.txt").exists()


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(UserError, match="is a file"):
        write(tmp_path / "out", "{}")


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        write(tmp_path / "file" / "out", "{}")
