"""Names of scores: all that a number depends on, so that different measures are not compared."""

import re

NAME = re.compile(r"(?P<measure>.+)_(?P<count>[0-9]+k?)(_(?P<split>test|validation|train))?(_floor)?")


def score_name(metric: str, features: str, count: int, split: str | None = None) -> str:
    """`fd_classifier_10k_test`: the metric, its features, how many samples, and the real images' split.

    Args:
        metric: `fd`, `kid`, `precision`, ...
        features: what it is computed from, `pixels`, `classifier`, `inception`, ...
        count: samples on each side; whole thousands are written with k from 10,000 on.
        split: of the real images; None where none take part.
    """
    amount = f"{count // 1000}k" if count >= 10_000 and count % 1000 == 0 else str(count)
    return "_".join([metric, features, amount, *([split] if split else [])])


def check_comparable(
    first: str, second: str, first_about: dict | None = None, second_about: dict | None = None
) -> None:
    """Refuse to compare scores that are different measures.

    Args:
        first, second: names, as `score_name` makes them.
        first_about, second_about: what `about` says of each; where both have `features`, these must agree too, since
            two classifiers share a name.

    Raises:
        ValueError: where the names or the features differ. A published FID compares with `fid_clean_...` alone.

    Example:
        >>> check_comparable("fd_classifier_10k_test", "fd_pixels_10k_test")
        Traceback (most recent call last):
        ...
        ValueError: 'fd_classifier_10k_test' and 'fd_pixels_10k_test' are different scores and cannot be compared: ...
    """
    if first != second:
        found = [NAME.fullmatch(name) for name in (first, second)]
        if all(found):
            one, other = (match.groupdict() for match in found)
            differences = [f"{part} {one[part]} and {other[part]}" for part in one if one[part] != other[part]]
            why = ", ".join(differences) or "one is the floor of the other"
        else:
            wrong = next(name for name, match in zip((first, second), found, strict=True) if not match)
            why = f"{wrong!r} does not say what it depends on, as fid_clean_50k_train does"
        raise ValueError(f"{first!r} and {second!r} are different scores and cannot be compared: {why}")
    features = [(about or {}).get("features") for about in (first_about, second_about)]
    if None not in features and features[0] != features[1]:
        raise ValueError(
            f"{first!r} was computed from other features in each case and cannot be compared: "
            f"{features[0]!r} and {features[1]!r}"
        )
