"""Files that a source leaves out: one summary, by the reason."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence

from .image_file import MISSING

OTHER_EXTENSION = "another extension than those of images"
_NOT_IN = "not in "
EXAMPLES = 3


def not_in(metadata: str) -> str:
    """The reason of an image that a metadata file does not name."""
    return f"{_NOT_IN}{metadata}"


def summarize(skipped: Iterable[tuple[str, str]], kept: int | None) -> str | None:
    """Summarizes the files that are left out.

    Args:
        skipped: (file, reason) of each.
        kept: images that remain, or None where that is not known.

    Returns:
        One sentence with the number of each kind and three examples, or None where nothing is left out.
    """
    skipped = list(dict.fromkeys(skipped))
    if not skipped:
        return None
    kinds: dict[str, list[tuple[str, str]]] = {}
    for file, reason in skipped:
        known = reason in (OTHER_EXTENSION, MISSING) or reason.startswith(_NOT_IN)
        kinds.setdefault(reason if known else "", []).append((file, reason))
    parts = [_part(reason, files) for reason, files in sorted(kinds.items(), key=lambda kind: -len(kind[1]))]
    number = f"{len(skipped):,}" if kept is None else f"{len(skipped):,} of {len(skipped) + kept:,}"
    return f"Left out {number} files: {', '.join(parts)}."


def _part(reason: str, files: Sequence[tuple[str, str]]) -> str:
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
