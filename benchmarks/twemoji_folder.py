"""Twemoji with captions as a folder that `keras_gen.data.load` reads: train/ and test/, each with a metadata.csv.

A caption is the emoji's name, with the skin tone if the name does not state it. A tenth of the distinct captions,
chosen by a hash, is held out as test/ with all their images.

usage: python -m benchmarks.twemoji_folder ZIP FOLDER

ZIP contains 72x72/*.png and captions.jsonl (one object a line: file, label, tone). Graphics: Twemoji, copyright Twitter
and other contributors, CC BY 4.0.
"""

import argparse
import csv
import hashlib
import json
import pathlib
import zipfile

from keras_gen.data import normalize

TONES = {1: "light", 2: "medium-light", 3: "medium", 4: "medium-dark", 5: "dark"}
HELD_OUT = 10  # one in ten


def caption_of(row: dict) -> str:
    """Returns the caption of a line of captions.jsonl.

    Example:
        >>> caption_of({"label": "mage", "tone": 5}), caption_of({"label": "people hugging", "tone": [1, 5]})
        ('mage: dark skin tone', 'people hugging: light and dark skin tones')
    """
    tone = row.get("tone")
    # each of two people has a tone
    tones = [TONES[each] for each in (tone if isinstance(tone, list) else [tone]) if each]
    if not tones or "skin tone" in row["label"]:
        return row["label"]
    return f"{row['label']}: {' and '.join(tones)} skin tone{'s' if len(tones) > 1 else ''}"


def held_out(caption: str) -> bool:
    """Returns whether a caption belongs to the test split; it depends only on its words."""
    return hashlib.md5(normalize(caption).encode()).digest()[0] * HELD_OUT < 256


def write(archive: pathlib.Path, folder: pathlib.Path) -> dict[str, int]:
    """Writes the folder, and returns the number of images in each split.

    Raises:
        FileExistsError: If the folder is not empty.
        ValueError: If the archive has no captions.jsonl.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise FileExistsError(f"Expected an empty folder; received {folder}, which is not empty. Choose another one")
    counts = {}
    with zipfile.ZipFile(archive) as files:
        if "captions.jsonl" not in files.namelist():
            raise ValueError(f"Expected captions.jsonl in {archive}; received {len(files.namelist())} other files")
        lines = [json.loads(line) for line in files.read("captions.jsonl").decode().splitlines() if line.strip()]
        lines = [row for row in lines if normalize(caption_of(row))]
        for split, is_test in (("train", False), ("test", True)):
            chosen = [row for row in lines if held_out(caption_of(row)) == is_test]
            target = folder / split
            target.mkdir(parents=True)
            with open(target / "metadata.csv", "w", encoding="utf-8", newline="") as stream:
                table = csv.writer(stream)
                table.writerow(["file_name", "caption"])
                for row in chosen:
                    name = pathlib.PurePosixPath(row["file"]).name
                    (target / name).write_bytes(files.read(row["file"]))
                    table.writerow([name, caption_of(row)])
            counts[split] = len(chosen)
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archive", type=pathlib.Path, metavar="ZIP")
    parser.add_argument("folder", type=pathlib.Path)
    args = parser.parse_args()
    counts = write(args.archive, args.folder)
    print(f"{args.folder}: " + ", ".join(f"{count:,} images in {split}/" for split, count in counts.items()))


if __name__ == "__main__":
    main()
