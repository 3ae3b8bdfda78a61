"""The view that a system has of a data source: options of `data.load`, and the settings that follow from them."""

import os
import pathlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from keras_gen import zoo
from keras_gen.data.resolve import identify
from keras_gen.data.tokenizer import build_vocabulary, normalize
from keras_gen.data.transforms.attributes import FIELD, attribute_groups
from keras_gen.data.transforms.domains import DOMAINS
from keras_gen.data.transforms.merge_attribute_sets import merged_groups
from keras_gen.data.transforms.tokenize import CAPTION
from keras_gen.models.core.system import System

from .source import SourceInfo

# view -> its options
KNOWN = {
    "images": (),
    "patches": (),
    "domains": ("domains", "domain_field"),
    "attributes": ("attributes",),
    "captions": ("captions", "length", "max_words"),
}
# options that every view has: limits of the files that are read, and how an image is resized
LIMITS = ("max_pixels", "max_member_bytes")
RESIZE_OPTIONS = ("crop", "background")
# options whose value is a list
LISTS = ("domains", "attributes")
# defaults for captions: words in the vocabulary, and the largest number of words of a caption
MAX_WORDS, MAX_LENGTH = 10_000, 64


class View(NamedTuple):
    """A view of a source.

    Attributes:
        options: Arguments of `keras_gen.data.load`, as JSON represents them.
        settings: Settings of the system that follow from the data.
    """

    options: dict[str, Any]
    settings: dict[str, Any]


def source_of(key: str | None, name: str | os.PathLike) -> str | os.PathLike:
    """Returns the source that a system is trained on: a system may have its own variant of a dataset.

    Args:
        key: The key of a system of the zoo, or the class name of the caller's own model.
        name: The requested source.

    Example:
        >>> source_of("puzzlegan", "shapes"), source_of("puzzlegan", "shapes/full"), source_of("vae", "shapes")
        ('shapes/placed', 'shapes/full', 'shapes')
    """
    system = zoo.SYSTEMS.get(key) if key else None
    return system.dataset_variants.get(str(name), name) if system else name


def view_of(
    system: System,
    source: SourceInfo,
    requested: Mapping[str, Any],
    name: str | os.PathLike,
    captions: Callable[[Mapping[str, Any]], Iterable[bytes]] | None = None,
) -> View:
    """Returns the view that a system needs, completed from the requested options and the data.

    Args:
        system: The system; its `view` is the kind of the view.
        source: Information about the data.
        requested: Options of `--view`: `domains` and `domain_field`; `attributes`; or `captions` (a file of them),
            `length` (the number of words of a caption that are read) and `max_words` (the size of the vocabulary).
            Lists may be strings with commas.
        name: Name of the source, for messages.
        captions: (options of `data.load`) -> captions of the training split. Only the view `"captions"` calls it.

    Raises:
        ValueError: For an option that the view does not have, or data that lack what the view needs.
    """
    known, requested = KNOWN[system.view], normalize_options(requested)
    if unknown := sorted(set(requested) - set(known)):
        none = "no option (this system sees the images as they are)"
        expected = f"{', '.join(known)} for this system" if known else none
        raise ValueError(f"Expected {expected} in --view; received {', '.join(unknown)}")
    if system.view == "domains":
        return _domains(system, source, requested, name)
    if system.view == "attributes":
        return _attributes(system, source, requested, name)
    if system.view == "captions":
        if captions is None:
            raise ValueError("Expected a function that reads the captions; received None")
        return _captions(source, requested, name, captions)
    return View({}, {})


def _domains(system: System, source: SourceInfo, requested: dict[str, Any], name: str | os.PathLike) -> View:
    if set(DOMAINS).issubset(source.fields):
        if requested:
            raise ValueError(
                f"Expected no --view for data with two domains; received {', '.join(requested)} for {name}: leave "
                "--view out"
            )
        return View({}, {})
    if not requested and (options := system.default_view(_dataset(source))):
        return View(options, {})
    if "domains" not in requested:
        raise ValueError(
            f"Expected data with two domains; received {name}, which is one dataset. Name two of its classes (--view "
            "domains=A,B, and --view domain_field=FIELD if they are not those of the label), or use two sources "
            "(mnist,usps), or a folder with trainA/ and trainB/"
        )
    return View({"domains": requested["domains"], "domain_field": requested.get("domain_field", "label")}, {})


def _attributes(system: System, source: SourceInfo, requested: dict[str, Any], name: str | os.PathLike) -> View:
    chosen = requested.get("attributes")
    if source.parts:
        if not chosen:
            defaults = [_default_attributes(system, None, names, name) for names in source.parts]
            chosen = list(dict.fromkeys(attribute for attributes in defaults for attribute in attributes))
        groups, sets, entries = merged_groups(source.parts, chosen)
        settings = {"groups": list(groups), "datasets": list(sets), "attribute_names": list(entries)}
    else:
        chosen = chosen or _default_attributes(system, _dataset(source), source.names, name)
        groups, entries = attribute_groups(source.names, chosen)
        settings = {"groups": list(groups), "attribute_names": list(entries)}
    return View({"attributes": list(chosen)}, settings)


def _default_attributes(
    system: System, dataset: str | None, names: Mapping[str, tuple[str, ...]], source: str | os.PathLike
) -> list[str]:
    """Returns the attributes that are trained on if a run does not choose them."""
    attributes = names.get(FIELD, ())
    if default := system.default_view(dataset, attributes).get("attributes"):
        return default
    if attributes:
        return list(attributes)
    if "label" in names:
        return ["label"]
    raise ValueError(
        f"Expected data with attributes or with named labels; received {source}, which has neither: use a folder with "
        "one sub-folder for each class, or a metadata.csv with columns of 0 and 1"
    )


def _captions(
    source: SourceInfo,
    requested: dict[str, Any],
    name: str | os.PathLike,
    captions: Callable[[Mapping[str, Any]], Iterable[bytes]],
) -> View:
    options: dict[str, Any] = {}
    if "captions" in requested:
        options["captions"] = str(pathlib.Path(requested["captions"]).expanduser().resolve())
    elif CAPTION not in source.fields:
        raise ValueError(
            f"Expected data with captions; received {name} with the fields {', '.join(source.fields)}: use shapes, a "
            "TFDS dataset with captions, or a folder whose metadata.csv has the columns file_name and caption; or give "
            "a file of captions for the files of a dataset (--view captions=FILE)"
        )
    texts = list(captions(options))
    vocabulary = build_vocabulary(texts, requested.get("max_words", MAX_WORDS))
    longest = max(len(normalize(text).split()) for text in texts)
    tokens = {"vocabulary": list(vocabulary), "length": requested.get("length", min(longest, MAX_LENGTH))}
    return View({**options, "tokens": tokens}, dict(tokens))


def _dataset(source: SourceInfo) -> str | None:
    """Returns the dataset's name as the default views of systems have it."""
    return "shapes" if source.rendered else None


def value_names(names: Mapping[str, Iterable[str]], options: Mapping[str, Any]) -> dict[str, list[str]]:
    """Returns the names of values that config.json and the model store, by field.

    Args:
        names: Value names of the data's fields, see `keras_gen.data.DataInfo`.
        options: `data` of config.json.

    Returns:
        `label` and `attributes`, if their values have names; `domains`, the names of domain A and domain B, if these
        are two classes or two sources.
    """
    stored = {field: list(map(str, names[field])) for field in ("label", FIELD) if names.get(field)}
    kind, sources = identify(options["source"], options.get("data_dir"))
    domains = options.get("domains") or ([pathlib.Path(each).name for each in sources] if kind == "pair" else [])
    if len(set(domains)) == 2 and not options.get(FIELD):
        stored["domains"] = list(map(str, domains))
    return stored


def normalize_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the options of a view as config.json stores them: strings with commas become lists.

    Example:
        >>> normalize_options({"domains": "3, 5", "domain_field": "label"})
        {'domains': ['3', '5'], 'domain_field': 'label'}
    """
    return {name: _listed(value) if name in LISTS else value for name, value in options.items()}


def _listed(value: str | Iterable) -> list:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else list(value)
