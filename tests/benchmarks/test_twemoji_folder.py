"""The Twemoji folder: its captions, its split by caption, and loading."""

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from benchmarks import twemoji_folder
from keras_gen import data


def test_captions_name_the_skin_tone():
    assert twemoji_folder.caption_of({"label": "mage: dark skin tone", "tone": 5}) == "mage: dark skin tone"
    assert twemoji_folder.caption_of({"label": "mage", "tone": 2}) == "mage: medium-light skin tone"
    assert twemoji_folder.caption_of({"label": "hug", "tone": [1, 5]}) == "hug: light and dark skin tones"
    assert twemoji_folder.caption_of({"label": "pizza", "tone": None}) == "pizza"


def test_folder_is_loaded_and_no_caption_is_in_both_splits(tmp_path):
    picture = io.BytesIO()
    Image.fromarray(np.full((72, 72, 4), (250, 0, 0, 255), np.uint8)).save(picture, "PNG")
    rows = [{"file": f"72x72/{i}.png", "label": f"thing {i // 2}", "tone": None} for i in range(120)]
    with zipfile.ZipFile(tmp_path / "emoji.zip", "w") as files:
        files.writestr("captions.jsonl", "\n".join(json.dumps(row) for row in rows))
        for row in rows:
            files.writestr(row["file"], picture.getvalue())
    counts = twemoji_folder.write(tmp_path / "emoji.zip", tmp_path / "emoji")
    assert sum(counts.values()) == 120 and 0 < counts["test"] < 30
    captions = {}
    for split in counts:
        loaded = data.load(tmp_path / "emoji", split, image_shape=(8, 8, 3), batch_size=200, shuffle=False)
        batch = next(iter(loaded))
        captions[split] = set(batch["caption"].numpy())
        assert len(batch["image"]) == counts[split]
        np.testing.assert_allclose(batch["image"][0, 4, 4], [250 / 255, 0, 0], atol=1e-6)
    assert not captions["train"] & captions["test"]
    with pytest.raises(FileExistsError, match="is not empty"):
        twemoji_folder.write(tmp_path / "emoji.zip", tmp_path / "emoji")
