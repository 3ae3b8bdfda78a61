"""Twemoji with captions as a folder that `keras_gen.data.load` reads: train/ and test/, each with a metadata.csv.

A caption is the emoji's name; where an emoji has a skin tone that its name leaves out, the tone is added. A tenth of
the different captions, chosen by their names alone, is held out as test/, with all images that have them.

usage: python -m benchmarks.twemoji_folder ZIP FOLDER

ZIP holds 72x72/*.png and captions.jsonl (one object a line: file, label, tone). Graphics: Twemoji, copyright Twitter
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
    """The caption of a line of captions.jsonl.

    Example:
        >>> caption_of({"label": "mage", "tone": 5}), caption_of({"label": "people hugging", "tone": [1, 5]})
        ('mage: dark skin tone', 'people hugging: light and dark skin tones')
    """
    tone = row.get("tone")
    # two people have a tone each
    tones = [TONES[each] for each in (tone if isinstance(tone, list) else [tone]) if each]
    if not tones or "skin tone" in row["label"]:
        return row["label"]
    return f"{row['label']}: {' and '.join(tones)} skin tone{'s' if len(tones) > 1 else ''}"


def held_out(caption: str) -> bool:
    """Whether a caption belongs to the test, by its words alone."""
    return hashlib.md5(normalize(caption).encode()).digest()[0] * HELD_OUT < 256


def write(archive: pathlib.Path, folder: pathlib.Path) -> dict[str, int]:
    """Write the folder; the number of images of each split.

    Raises:
        FileExistsError: where the folder holds anything.
        ValueError: where the archive has no captions.jsonl.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty: name another")
    counts = {}
    with zipfile.ZipFile(archive) as files:
        if "captions.jsonl" not in files.namelist():
            raise ValueError(f"{archive} holds no captions.jsonl")
        lines = [json.loads(line) for line in files.read("captions.jsonl").decode().splitlines() if line.strip()]
        lines = [row for row in lines if normalize(caption_of(row))]
        for split, wanted in (("train", False), ("test", True)):
            chosen = [row for row in lines if held_out(caption_of(row)) == wanted]
            place = folder / split
            place.mkdir(parents=True)
            with open(place / "metadata.csv", "w", encoding="utf-8", newline="") as stream:
                table = csv.writer(stream)
                table.writerow(["file_name", "caption"])
                for row in chosen:
                    name = pathlib.PurePosixPath(row["file"]).name
                    (place / name).write_bytes(files.read(row["file"]))
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
