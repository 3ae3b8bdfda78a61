"""What a system sees of a data source: options of `data.load`, and the settings that follow from them."""

import os
import pathlib
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from keras_gen.data.resolve import identify
from keras_gen.data.tokenizer import build_vocabulary, normalize
from keras_gen.data.transforms.attributes import FIELD, attribute_groups
from keras_gen.data.transforms.domains import DOMAINS
from keras_gen.data.transforms.merge_attribute_sets import united_groups
from keras_gen.data.transforms.tokenize import CAPTION

from .source import SourceInfo

# view -> its options, and those of them that are lists
KNOWN = {
    "images": (),
    "patches": (),
    "domains": ("domains", "domain_field"),
    "attributes": ("attributes",),
    "captions": ("captions", "length", "max_words"),
}
# what every view takes besides: bounds of what is read
LIMITS = ("max_pixels", "max_member_bytes")
# and how an image is brought to the shape
FITTING = ("crop", "background")
LISTS = ("domains", "attributes")
# of captions, where a run does not say: words in the vocabulary, and words read of a caption
MAX_WORDS, LONGEST = 10_000, 64
# of `shapes`, where a run does not say: what is drawn on the object, and its color
SHAPES_DOMAINS = {"domains": ["plain", "striped"], "domain_field": "texture"}
SHAPES_ATTRIBUTES = ["color"]
# and the pictures in which a patch tells its place
SHAPES_PATCHES = "shapes/placed"
# the five that the paper of StarGAN trains on, where a source has them
CELEBRITIES = ["Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young"]


class View(NamedTuple):
    """A view of a source.

    Attributes:
        options: arguments of `keras_gen.data.load`, as JSON holds them.
        settings: of the system, where they follow from the data.
    """

    options: dict
    settings: dict


def source_of(kind: str, name: str | os.PathLike) -> str | os.PathLike:
    """The source that a system reads: of plain `shapes`, whose objects lie anywhere, one of patches reads `placed`.

    Args:
        kind: the system's `view`.
        name: the source that was asked for; `shapes/full` are the objects that lie anywhere.
    """
    return SHAPES_PATCHES if kind == "patches" and name == "shapes" else name


def view_of(
    kind: str,
    source: SourceInfo,
    asked: Mapping,
    name: str | os.PathLike,
    captions: Callable[[Mapping], Iterable[bytes]] | None = None,
) -> View:
    """The view that a system needs, completed from what was asked for and what the source holds.

    Args:
        kind: the system's `view`: `"images"`, `"patches"`, `"domains"`, `"attributes"` or `"captions"`.
        source: what is known of the data.
        asked: options of `--view`: `domains` and `domain_field`; `attributes`; or `captions` (a file of them), `length` (words
            of a caption that are read) and `max_words` (of the vocabulary). Lists may be texts with commas.
        name: the source, for messages.
        captions: (options of `data.load`) -> captions of the training split; called for the view `"captions"` alone.

    Raises:
        ValueError: for an option that the view does not have, or data that do not offer it.
    """
    known, asked = KNOWN[kind], normal(asked)
    if unknown := sorted(set(asked) - set(known)):
        takes = f"it takes {', '.join(known)}" if known else "this system sees the images as they are"
        raise ValueError(f"--view has no {', '.join(unknown)} here: {takes}")
    if kind == "domains":
        return _domains(source, asked, name)
    if kind == "captions":
        return _captions(source, asked, name, captions)
    return _attributes(source, asked, name) if kind == "attributes" else View({}, {})


def _domains(source: SourceInfo, asked: dict, name) -> View:
    if set(DOMAINS).issubset(source.fields):
        if asked:
            raise ValueError(f"{name} holds two domains already; leave --view out")
        return View({}, {})
    if not asked and source.rendered:
        return View(dict(SHAPES_DOMAINS), {})
    if "domains" not in asked:
        raise ValueError(
            f"Two domains are needed, and {name} is one set: name two of its classes (--view domains=A,B, and --view "
            "domain_field=FIELD where they are not the label's), or give two sources (mnist,usps), or a folder with trainA/ "
            "and trainB/"
        )
    return View({"domains": asked["domains"], "domain_field": asked.get("domain_field", "label")}, {})


def _attributes(source: SourceInfo, asked: dict, name) -> View:
    chosen = asked.get("attributes")
    if source.parts:
        chosen = chosen or list(dict.fromkeys(each for names in source.parts for each in _usual(names, name)))
        groups, sets, entries = united_groups(source.parts, chosen)
        settings = {"groups": list(groups), "datasets": list(sets), "attribute_names": list(entries)}
    else:
        chosen = chosen or (SHAPES_ATTRIBUTES if source.rendered else _usual(source.names, name))
        groups, entries = attribute_groups(source.names, chosen)
        settings = {"groups": list(groups), "attribute_names": list(entries)}
    return View({"attributes": list(chosen)}, settings)


def _usual(names: Mapping, name) -> list[str]:
    """The attributes that a set is trained on where a run does not say."""
    entries = names.get(FIELD, ())
    if entries:
        return CELEBRITIES if set(CELEBRITIES).issubset(entries) else list(entries)
    if "label" in names:
        return ["label"]
    raise ValueError(
        f"Domains are needed: {name} has neither named labels nor attributes. Use a folder with class sub-folders, or "
        "a metadata.csv with columns of 0 and 1"
    )


def _captions(source: SourceInfo, asked: dict, name, captions) -> View:
    options = {}
    if "captions" in asked:
        options["captions"] = str(pathlib.Path(asked["captions"]).expanduser().resolve())
    elif CAPTION not in source.fields:
        raise ValueError(
            f"Captions are needed, and {name} has {', '.join(source.fields)}. Use shapes, a TFDS set with captions, or "
            "a folder with a metadata.csv that has the columns file_name and caption; or give a set with file names "
            "such a file (--view captions=FILE)"
        )
    texts = list(captions(options))
    vocabulary = build_vocabulary(texts, asked.get("max_words", MAX_WORDS))
    longest = max(len(normalize(text).split()) for text in texts)
    tokens = {"vocabulary": list(vocabulary), "length": asked.get("length", min(longest, LONGEST))}
    return View({**options, "tokens": tokens}, dict(tokens))


def value_names(names: Mapping[str, Iterable[str]], options: Mapping) -> dict[str, list[str]]:
    """The names that config.json and the model keep, by field.

    Args:
        names: value names of the data's fields, see `keras_gen.data.DataInfo`.
        options: `data` of config.json.

    Returns:
        `label` and `attributes`, where these have names; `domains`, the names of domain A and domain B, where these
        are two classes or two sources.
    """
    found = {field: list(map(str, names[field])) for field in ("label", FIELD) if names.get(field)}
    kind, sources = identify(options["source"], options.get("data_dir"))
    domains = options.get("domains") or ([pathlib.Path(each).name for each in sources] if kind == "pair" else [])
    if len(set(domains)) == 2 and not options.get(FIELD):
        found["domains"] = list(map(str, domains))
    return found


def normal(asked: Mapping) -> dict:
    """Options of a view as config.json holds them: a list also where it was written as a text with commas."""
    return {name: _listed(value) if name in LISTS else value for name, value in asked.items()}


def _listed(value) -> list:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else list(value)
