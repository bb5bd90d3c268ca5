"""What the sample photos are painted with: fields of numbers between 0 and 1, one per pixel."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Field = NDArray[np.float64]  # height x width, mostly 0..1; a picture has a third axis for red, green, blue
Colour = tuple[int, int, int]
Point = tuple[float, float]


def rgb(*colour: float) -> Field:
    """Return a colour given as 0..255 as the 0..1 that pictures are made of."""
    return np.array(colour, dtype=np.float64) / 255


def grid(size: tuple[int, int]) -> tuple[Field, Field]:
    """Return the x and the y of every pixel, in pixels."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float64)
    return x, y


def gradient(where: Field, *stops: tuple[float, Colour]) -> Field:
    """Colour a field by the stops between which its values fall."""
    at = [stop for stop, _ in stops]
    return np.stack([np.interp(where, at, [colour[i] / 255 for _, colour in stops]) for i in range(3)], axis=-1)


def noise(rng: np.random.Generator, size: tuple[int, int], cell: float, octaves: int = 5) -> Field:
    """Return smooth noise between 0 and 1 whose largest features are `cell` pixels wide."""
    total = np.zeros((size[1], size[0]))
    for octave in range(octaves):
        step = cell / 2**octave
        coarse = rng.random((max(2, int(size[1] / step) + 2), max(2, int(size[0] / step) + 2))).astype(np.float32)
        total += np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)) / 2**octave
    low, high = float(total.min()), float(total.max())
    return (total - low) / (high - low)


def paint(picture: Field, colour: Field, mask: Field) -> None:
    """Lay a colour over a picture wherever, and as much as, the mask says."""
    picture += (colour - picture) * np.clip(mask, 0, 1)[..., None]


def inside(distance: Field, softness: float = 1.5) -> Field:
    """Turn a distance to an edge, negative inside, into a mask with a smooth rim."""
    return np.clip(0.5 - distance / softness, 0, 1)


def glow(x: Field, y: Field, centre: Point, radius: float) -> Field:
    """Return light that fades away from a point."""
    return np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * radius**2))


def shape(size: tuple[int, int], *outlines: Sequence[Point], blur: float = 1.0) -> Field:
    """Return the mask of closed curves drawn smoothly through their points."""
    canvas = Image.new("L", size)
    for outline in outlines:
        knots = np.array(outline)
        t = np.linspace(0, 1, 24, endpoint=False)[:, None]
        curve: list[Point] = []
        for i in range(len(knots)):
            a, b, c, d = (knots[(i + k) % len(knots)] for k in (-1, 0, 1, 2))
            part = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
            curve += [(float(px), float(py)) for px, py in part]
        ImageDraw.Draw(canvas).polygon(curve, fill=255)
    return np.asarray(canvas.filter(ImageFilter.GaussianBlur(blur)), dtype=np.float64) / 255


def blurred(field: Field, radius: float) -> Field:
    """Return a mask with its edges spread out."""
    image = Image.fromarray((np.clip(field, 0, 1) * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float64) / 255


def finished(picture: Field, rng: np.random.Generator, grain: float) -> Image.Image:
    """Darken the corners a little, add the grain of a film, and make an image of it."""
    height, width, _ = picture.shape
    x, y = grid((width, height))
    corner = ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2) * 0.45
    picture = picture * (1 - corner)[..., None] + rng.normal(0, grain, (height, width, 1))
    return Image.fromarray((np.clip(picture, 0, 1) * 255).round().astype(np.uint8))
