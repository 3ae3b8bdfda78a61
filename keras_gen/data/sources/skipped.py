"""A summary of the files of a source that are skipped, grouped by reason."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence

from keras_gen.runtime.image_file import MISSING

OTHER_EXTENSION = "no image extension"
_NOT_IN = "not in "
EXAMPLES = 3


def not_in(metadata: str) -> str:
    """Returns the reason for skipping an image that a metadata file does not list."""
    return f"{_NOT_IN}{metadata}"


def summarize(skipped: Iterable[tuple[str, str]], kept: int | None) -> str | None:
    """Summarizes the skipped files.

    Args:
        skipped: (file, reason) of each file.
        kept: Number of images that are not skipped, or None if it is unknown.

    Returns:
        One sentence with the number of files per reason and three examples, or None if no file is skipped.
    """
    skipped = list(dict.fromkeys(skipped))
    if not skipped:
        return None
    groups: dict[str, list[tuple[str, str]]] = {}
    for file, reason in skipped:
        is_group = reason in (OTHER_EXTENSION, MISSING) or reason.startswith(_NOT_IN)
        groups.setdefault(reason if is_group else "", []).append((file, reason))
    parts = [_describe(reason, files) for reason, files in sorted(groups.items(), key=lambda group: -len(group[1]))]
    number = f"{len(skipped):,}" if kept is None else f"{len(skipped):,} of {len(skipped) + kept:,}"
    return f"Left out {number} files: {', '.join(parts)}."


def _describe(reason: str, files: Sequence[tuple[str, str]]) -> str:
    """Describes the files with one reason; an empty reason stands for unreadable files, each with its own."""
    number, names = f"{len(files):,}", [os.path.basename(file) for file, _ in files[:EXAMPLES]]
    shown = ", ".join(names) + (", ..." if len(files) > EXAMPLES else "")
    if reason == OTHER_EXTENSION:
        suffixes = Counter(os.path.splitext(file)[1].lower() or "none" for file, _ in files)
        counted = ", ".join(f"{suffix} {count:,}" for suffix, count in suffixes.most_common(4))
        counted += ", ..." if len(suffixes) > 4 else ""
        return f"{number} with another extension ({counted}; e.g. {shown})"
    if reason == MISSING:
        return f"{number} in the metadata without a file (e.g. {shown})"
    if reason:
        return f"{number} {reason} (e.g. {shown})"
    shown = "; ".join(f"{file}: {why}" for file, why in files[:EXAMPLES]) + ("; ..." if len(files) > EXAMPLES else "")
    return f"{number} that cannot be read ({shown})"
