"""Packaging of keras_gen: the wheel holds the package keras_gen alone (demos/ and export/ stay in the checkout)."""

import pathlib

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent


def requirements() -> list[str]:
    """The run-time requirements, one a line in requirements.txt."""
    lines = (HERE / "requirements.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


DEMOS = ["gradio>=6.20,<7"]

setup(
    name="keras-gen",
    version="0.1.0",
    description="Generative models for Keras 3 on TensorFlow: train, measure, export to TFLite, show",
    long_description=(HERE / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["keras_gen", "keras_gen.*"]),
    package_data={"keras_gen": ["py.typed", "evaluation/features/*.npz"]},
    install_requires=requirements(),
    extras_require={
        "gpu": ["tensorflow[and-cuda]>=2.20,<2.22"],
        "demos": DEMOS,
        "dev": [
            *(*DEMOS, "matplotlib>=3.9", "build>=1.2"),
            # the type checker is young: another version may report other errors
            *("ruff>=0.9", "ty==0.0.108", "griffe>=2", "pre-commit>=4"),
            *("pytest>=8.3", "pytest-timeout>=2.3", "pytest-xdist>=3.6"),
        ],
    },
    entry_points={"console_scripts": ["keras-gen = keras_gen.cli:main"]},
    classifiers=[
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
