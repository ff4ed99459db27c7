"""What pytest-xdist has each of its processes execute: a fork of ``collected`` has its tests already."""

if __name__ == "__channelexec__":
    import sys

    collected = sys.modules.get("tests.workers.collected")
    if collected is not None and collected.take_part is not None:
        collected.take_part(channel)  # type: ignore[name-defined]  # noqa: F821 - from execnet
    else:
        # As it would have been without us. Not imported: pytest would warn that it cannot rewrite it.
        import importlib.util
        from pathlib import Path

        found = importlib.util.find_spec("xdist")
        assert found is not None
        assert found.origin is not None
        exec(Path(found.origin).with_name("remote.py").read_text("utf-8"))  # noqa: S102
