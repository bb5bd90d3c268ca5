"""The pictures that the checks upload, and what the checks read out of a thumbnail."""

import io
import warnings
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageChops, ImageStat

LONGEST_SIDE = 128
# What a thumbnail may weigh and measure before we decode it: it comes from code that we do not trust.
MOST_BYTES = 1_000_000
MOST_PIXELS = 1_000_000
# Mean difference per channel, of 255. Another drawing is about 60 to 110 away; JPEG and another filter about 1 to 6.
NEAR = 25.0


@dataclass(frozen=True)
class Photo:
    """A picture to upload, and what it is."""

    key: str
    body: bytes
    image: Image.Image

    @property
    def width(self) -> int:
        """Give the width in pixels."""
        return self.image.width

    @property
    def height(self) -> int:
        """Give the height in pixels."""
        return self.image.height

    @property
    def thumbnail_size(self) -> tuple[int, int]:
        """Give the size of its thumbnail."""
        factor = LONGEST_SIDE / max(self.image.size)
        return max(1, round(self.width * factor)), max(1, round(self.height * factor))


def draw(random: Random, key: str) -> Photo:
    """Draw coloured blocks in a size and shape of their own, clearly longer one way than the other."""
    long = random.randint(400, 900)
    short = random.randint(180, long * 2 // 3)
    size = (long, short) if random.random() < 0.5 else (short, long)
    blocks = Image.new("RGB", (4, 3))
    for x in range(4):
        for y in range(3):
            blocks.putpixel((x, y), (random.randrange(256), random.randrange(256), random.randrange(256)))
    image = blocks.resize(size, Image.Resampling.NEAREST)
    out = io.BytesIO()
    image.save(out, "JPEG" if key.endswith(".jpg") else "PNG", quality=90)
    return Photo(key, out.getvalue(), image)


def read(body: bytes) -> Image.Image | None:
    """Decode a PNG or JPEG of modest size, or give None."""
    if len(body) > MOST_BYTES:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(body), formats=("PNG", "JPEG")) as image:
                if image.width * image.height > MOST_PIXELS:
                    return None
                return image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombWarning, Image.DecompressionBombError):
        return None


def shows(image: Image.Image, photo: Photo) -> bool:
    """Tell whether the image shows this photo, whatever its size."""
    expected = photo.image.resize(image.size, Image.Resampling.BOX)
    difference = ImageStat.Stat(ImageChops.difference(image, expected))
    return sum(difference.mean) / len(difference.mean) < NEAR


def is_thumbnail_size(size: tuple[int, int], photo: Photo) -> bool:
    """Tell whether this is the size that the photo's thumbnail should have, give or take a pixel of rounding."""
    width, height = photo.thumbnail_size
    return max(size) == LONGEST_SIDE and abs(size[0] - width) <= 1 and abs(size[1] - height) <= 1
