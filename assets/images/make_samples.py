"""Paint the sample photos beside this file: python assets/images/make_samples.py. The same seed paints the same files."""

from pathlib import Path

import numpy as np
from brush import Colour, Field, Point, blurred, finished, glow, gradient, grid, inside, noise, paint, rgb, shape
from PIL import Image, ImageFilter

HERE = Path(__file__).parent
WIDE, TALL = (1600, 1067), (1067, 1600)

NOT_A_PICTURE = """\
사진이 아니에요. 이 파일이 버킷에 올라오면 핸들러는 어떻게 해야 할까요?
This is not a picture. What should the handler do when this file lands in the bucket?
"""


def mountain_lake(rng: np.random.Generator) -> Image.Image:
    """Paint hills at dusk above the lake that mirrors them."""
    (width, height), shore = WIDE, 640
    x, y = grid(WIDE)
    sky = ((0, (38, 44, 92)), (0.35, (104, 78, 138)), (0.65, (226, 128, 124)), (0.86, (252, 190, 130)))
    picture = gradient(y / shore, *sky, (1, (255, 222, 166)))
    clouds = np.clip(noise(rng, (width, height * 5), 700)[::5] - 0.52, 0, 1) * 3.2
    paint(picture, rgb(255, 176, 158), clouds * np.exp(-(((y - 300) / 170) ** 2)) * 0.75)
    picture += (glow(x, y, (1040, 560), 300) * 0.22 + glow(x, y, (1040, 560), 46) * 0.9)[..., None] * rgb(255, 220, 160)
    for _ in range(140):
        star, light = (rng.uniform(0, width), rng.uniform(0, 230)), rng.uniform(0.2, 0.8)
        rows, columns = slice(int(star[1]), int(star[1]) + 5), slice(int(star[0]), int(star[0]) + 5)
        picture[rows, columns] += (glow(x[rows, columns], y[rows, columns], (star[0] + 2, star[1] + 2), 0.8) * light)[..., None]

    layers: list[tuple[float, float, float, Colour, Colour]] = [
        (430, 230, 620, (146, 108, 150), (236, 158, 140)),
        (510, 190, 460, (98, 80, 130), (196, 122, 130)),
        (570, 130, 380, (58, 58, 102), (120, 84, 112)),
        (618, 60, 300, (26, 32, 62), (48, 46, 76)),
    ]
    for level, (base, rise, cell, top, foot) in enumerate(layers):
        ridge = noise(rng, (width, 2), cell, octaves=7)[0]
        line = base - rise * (ridge - 0.35)
        if level == len(layers) - 1:  # the nearest hill carries a wood
            for tree in rng.uniform(0, width, 420):
                tip = rng.uniform(14, 46)
                line -= np.clip(tip - np.abs(x[0] - tree) * rng.uniform(2.4, 4.2), 0, None) * 0.55
        mask = inside(line[None, :] - y) * (y < shore)
        paint(picture, gradient(np.clip((y - line[None, :]) / 190, 0, 1), (0, top), (1, foot)), mask)

    depth = np.clip((y - shore) / (height - shore), 0, 1)
    swell = noise(rng, (width // 4, height), 26, 4).repeat(4, axis=1) - 0.5
    from_y = np.clip(2 * shore - y + swell * (6 + 60 * depth), 0, shore - 1).astype(int)
    from_x = np.clip(x + swell * (4 + 26 * depth), 0, width - 1).astype(int)
    water = picture[from_y, from_x] * (0.86 - 0.3 * depth)[..., None] * rgb(226, 232, 255)
    sparks = noise(rng, (width // 10, height), 7, 2).repeat(10, axis=1)
    glitter = np.exp(-(((x - 1040) / (50 + 170 * depth)) ** 2)) * np.clip(sparks * 6 - 3.6, 0, 1) * (1 - 0.7 * depth)
    paint(water, rgb(255, 206, 160), blurred(glitter, 1.5) * 0.7)
    paint(picture, water, (y >= shore).astype(float))
    paint(picture, rgb(255, 214, 176), np.exp(-(((y - shore) / 3.5) ** 2)) * 0.35)
    return finished(picture, rng, 0.012)


def city_at_night(rng: np.random.Generator) -> Image.Image:
    """Paint a skyline with lit windows, the moon, and the river below."""
    (width, height), shore = WIDE, 760
    x, y = grid(WIDE)
    picture = gradient(y / shore, (0, (8, 12, 34)), (0.5, (26, 28, 72)), (0.85, (84, 54, 106)), (1, (142, 82, 112)))
    picture += (np.clip(noise(rng, (width, height * 3), 520)[::3] - 0.45, 0, 1) * 0.22)[..., None] * rgb(160, 130, 190)
    moon = np.hypot(x - 330, y - 190)
    picture += (np.exp(-moon / 130) * 0.34)[..., None] * rgb(255, 240, 214)
    craters = 0.86 + 0.14 * noise(rng, WIDE, 60)
    paint(picture, craters[..., None] * rgb(255, 246, 224), inside(moon - 58, 2))

    warm = [rgb(255, 206, 128), rgb(255, 228, 178), rgb(255, 176, 96), rgb(190, 222, 255)]
    for layer, (low, high, shade) in enumerate([(180, 380, 52), (200, 470, 34), (110, 330, 18)]):
        left = -20
        while left < width:
            across, tall = int(rng.integers(54, 150)), int(rng.integers(low, high))
            if abs(left - 930) < 60 and layer == 1:
                tall = 590
            top, right = shore - tall, left + across
            box = (slice(max(top, 0), shore), slice(max(left, 0), min(right, width)))
            body = rgb(shade, shade * 1.05, shade * 1.75)
            lit = np.linspace(1.25, 0.85, box[1].stop - box[1].start) if box[1].stop > box[1].start else np.ones(0)
            picture[box] = body * lit[None, :, None]
            picture[max(top, 0) : top + 3, box[1]] += 0.05
            if rng.random() < 0.3:  # a mast with its lamp
                mast, tip = left + across // 2, top - int(rng.integers(20, 70))
                if 4 < mast < width - 4:
                    picture[tip:top, mast - 1 : mast + 2] = body
                    paint(picture, rgb(255, 84, 74), glow(x, y, (mast, tip), 4.5) * 0.95)
            pitch = int(rng.integers(11, 17))
            share = rng.uniform(0.12, 0.42)
            for row in range(top + 12, shore - 10, pitch + 3):
                for column in range(left + 8, right - 10, pitch):
                    if rng.random() < share and 0 <= column < width - 8:
                        pane = picture[row : row + 9, column : column + 6]
                        pane += (warm[int(rng.integers(4))] - pane) * rng.uniform(0.35, 0.95)
            left = right + int(rng.integers(-10, 12))
        picture[:shore] += np.exp(-(((y[:shore] - shore) / 120) ** 2))[..., None] * rgb(70, 40, 60) * 0.16

    halo = np.stack([blurred(np.clip(picture[..., i] - 0.45, 0, 1), 9) for i in range(3)], axis=-1)
    picture += halo * 0.8
    depth = np.clip((y - shore) / (height - shore), 0, 1)
    swell = noise(rng, (width // 2, height), 18, 4).repeat(2, axis=1) - 0.5
    from_y = np.clip(2 * shore - y + swell * (30 + 190 * depth), 0, shore - 1).astype(int)
    from_x = np.clip(x + swell * (6 + 30 * depth), 0, width - 1).astype(int)
    mirror = Image.fromarray((np.clip(picture[from_y, from_x], 0, 1) * 255).astype(np.uint8))
    water = np.asarray(mirror.filter(ImageFilter.BoxBlur((1, 7))), dtype=np.float64) / 255
    paint(picture, water * (0.82 - 0.35 * depth)[..., None] * rgb(214, 222, 255), (y >= shore).astype(float))
    paint(picture, rgb(14, 14, 28), np.exp(-(((y - shore) / 4) ** 2)) * 0.8)
    return finished(picture, rng, 0.014)


def cat_at_window(rng: np.random.Generator) -> Image.Image:
    """Paint a cat on the sill, seen from behind, with the evening outside. No grain: a PNG keeps every speck of it."""
    width, height = TALL
    x, y = grid(TALL)
    left, right, top, sill = 150.0, 917.0, 120.0, 1290.0
    evening = ((0, (44, 62, 120)), (0.4, (126, 108, 168)), (0.7, (240, 156, 138)), (0.9, (255, 204, 146)))
    picture = gradient((y - top) / (sill - top), *evening, (1, (255, 226, 178)))
    picture += (glow(x, y, (700, 1010), 260) * 0.2)[..., None] * rgb(255, 210, 150)
    paint(picture, rgb(255, 250, 232), inside(np.hypot(x - 318, y - 330) - 54, 3))
    for base, rise, cell, colour in [(1090, 150, 520, (150, 104, 140)), (1170, 120, 400, (98, 76, 122))]:
        line = base - rise * noise(rng, (width, 2), cell, 3)[0]
        paint(picture, rgb(*colour), inside(line[None, :] - y, 3))
    for _ in range(16):  # the lamps of the town, out of focus
        centre, radius = (rng.uniform(left, right), rng.uniform(1130, 1270)), rng.uniform(9, 24)
        paint(picture, rgb(255, 222, 150), inside(np.hypot(x - centre[0], y - centre[1]) - radius, 5) * rng.uniform(0.25, 0.6))

    wall = gradient(np.hypot(x - width / 2, y - 700) / 1000, (0, (118, 78, 66)), (1, (44, 30, 38)))
    outside = (x < left) | (x > right) | (y < top) | (y > sill)
    paint(picture, wall, outside.astype(float))
    frame = np.zeros_like(x)
    for middle, thick in ((left, 22.0), (right, 22.0), ((left + right) / 2, 11.0)):
        frame = np.maximum(frame, inside(np.abs(x - middle) - thick) * (y > top - 22) * (y < sill))
    for middle, thick in ((top, 22.0), (560.0, 11.0)):
        frame = np.maximum(frame, inside(np.abs(y - middle) - thick) * (x > left - 22) * (x < right + 22))
    paint(picture, gradient(y / height, (0, (84, 58, 54)), (0.8, (58, 38, 40)), (1, (40, 28, 34))), frame)
    board = (y > sill - 4) & (y < sill + 64) & (x > left - 70) & (x < right + 70)
    paint(
        picture, gradient((y - sill) / 64, (0, (236, 172, 130)), (0.12, (140, 92, 76)), (1, (74, 48, 48))), board.astype(float)
    )
    for side in (-1, 1):  # curtains, drawn aside
        edge = (left - 30 if side < 0 else right + 30) - side * (60 + 26 * np.sin(y / 210) + y / 26)
        folds = 0.75 + 0.25 * np.sin((x - edge) / 15 + np.sin(y / 300))
        cloth = inside(side * (edge - x), 4)
        paint(picture, folds[..., None] * gradient(y / height, (0, (168, 92, 88)), (1, (110, 54, 70))), cloth)

    # A point given twice makes a corner: the tips of the ears.
    half: list[Point] = [
        (0, -468), (36, -464), (96, -544), (96, -544), (120, -448), (132, -392), (118, -338), (100, -304), (116, -256),
        (146, -160), (168, -60), (160, 0), (60, 10),
    ]  # fmt: skip
    cat = half + [(-px, py) for px, py in reversed(half[1:])]
    tail: list[Point] = [
        (130, -30), (220, -8), (300, 30), (330, 100), (300, 168), (262, 176), (256, 150), (286, 128), (292, 92),
        (262, 56), (200, 32), (120, 16),
    ]  # fmt: skip
    middle = 560.0
    mask = shape(TALL, *([(middle + px, sill + py) for px, py in part] for part in (cat, tail)), blur=1.4)
    shadow = blurred(np.roll(mask, 26, axis=0), 22) * (y > sill - 4)
    paint(picture, rgb(30, 18, 26), shadow * 0.55)
    fur = gradient((y - sill + 520) / 700, (0, (52, 40, 56)), (1, (22, 16, 28)))
    paint(picture, fur, mask)
    rim = np.clip(mask - blurred(mask, 7), 0, 1) * 1.3
    paint(picture, rgb(255, 190, 138), rim * np.clip((sill - y) / 300, 0.1, 1))
    return finished(picture, rng, 0)


def sphere(picture: Field, centre: Point, radius: float, colour: Field, shine: float = 0.5, skin: Field | None = None) -> None:
    """Paint a ball that is lit from the upper left."""
    x0, x1 = int(centre[0] - radius - 3), int(centre[0] + radius + 4)
    y0, y1 = int(centre[1] - radius - 3), int(centre[1] + radius + 4)
    y, x = np.mgrid[y0:y1, x0:x1].astype(np.float64)
    u, v = (x - centre[0]) / radius, (y - centre[1]) / radius
    flat = np.hypot(u, v)
    w = np.sqrt(np.clip(1 - flat**2, 0, 1))
    light = np.clip(-0.5 * u - 0.6 * v + 0.62 * w, 0, 1)
    bounce = np.clip(v, 0, 1) * 0.16
    body = colour if skin is None else colour * skin[y0:y1, x0:x1, None]
    shaded = body * (0.2 + 0.95 * light + bounce)[..., None]
    shaded += (np.clip(-0.42 * u - 0.55 * v + 0.72 * w, 0, 1) ** 38 * shine)[..., None]
    paint(picture[y0:y1, x0:x1], shaded, inside((flat - 1) * radius))


def fruit_bowl(rng: np.random.Generator) -> Image.Image:
    """Paint oranges, apples, a lemon and grapes in a blue bowl on a table."""
    width, height = WIDE
    x, y = grid(WIDE)
    edge = 690
    picture = gradient(
        np.hypot((x - 420) / 1.5, y - 160) / 900, (0, (246, 232, 206)), (0.5, (206, 184, 152)), (1, (116, 98, 88))
    )
    for _ in range(26):  # light through leaves, out of focus
        centre, radius = (rng.uniform(0, width), rng.uniform(0, 520)), rng.uniform(30, 90)
        disc = inside(np.hypot(x - centre[0], y - centre[1]) - radius, 10)
        paint(
            picture,
            rgb(*[(255, 246, 216), (196, 214, 160), (255, 226, 170)][int(rng.integers(3))]),
            disc * rng.uniform(0.08, 0.24),
        )
    grain = noise(rng, (width, height * 14), 900, 7)[::14]
    planks = 0.86 + 0.14 * np.cos(((y - edge) / 122) * 2 * np.pi) ** 12 * -1
    wood = gradient(grain, (0, (112, 66, 38)), (0.5, (166, 106, 62)), (1, (206, 148, 94))) * planks[..., None]
    wood *= (1.12 - 0.4 * np.clip((x - 300) / width, 0, 1))[..., None]
    paint(picture, wood, inside(edge - y, 5))

    middle, rim, across, deep = 800.0, 610.0, 440.0, 310.0
    shade = np.exp(-((((x - middle - 90) / 500) ** 2 + ((y - 915) / 58) ** 2) ** 1.5))
    paint(picture, rgb(36, 20, 14), shade * 0.75)
    opening = ((x - middle) / across) ** 2 + ((y - rim) / 92) ** 2
    paint(picture, gradient(y, (rim - 92, (24, 48, 74)), (rim + 92, (60, 104, 138))), inside((opening - 1) * 200))

    pores = 0.94 + 0.12 * noise(rng, WIDE, 9, 2)
    streaks = 0.72 + 0.42 * noise(rng, (width * 6, height), 240, 5)[:, ::6]
    orange, red, green, lemon = rgb(250, 146, 34), rgb(204, 34, 40), rgb(148, 186, 62), rgb(250, 214, 62)
    sphere(picture, (620, 470), 138, orange, 0.35, pores)
    sphere(picture, (985, 478), 142, red, 0.6, streaks)
    sphere(picture, (800, 400), 142, green, 0.55, streaks)
    sphere(picture, (500, 575), 122, red, 0.6, streaks)
    sphere(picture, (1112, 578), 118, orange, 0.35, pores)
    sphere(picture, (700, 580), 126, lemon, 0.4, pores)
    sphere(picture, (905, 590), 130, orange, 0.35, pores)
    for centre in ((985, 345), (800, 268), (500, 462)):  # stalks
        stalk = shape(
            WIDE,
            [
                (centre[0] - 5, centre[1] + 16),
                (centre[0] + 2, centre[1] - 36),
                (centre[0] + 14, centre[1] - 34),
                (centre[0] + 5, centre[1] + 16),
            ],
        )
        paint(picture, rgb(84, 56, 30), stalk)
    leaf = shape(WIDE, [(812, 244), (860, 196), (936, 190), (980, 214), (930, 246), (860, 258)])
    paint(picture, gradient(y, (186, (128, 176, 74)), (260, (52, 104, 44))), leaf)
    for row, count in enumerate((5, 4, 3, 2)):
        for place in range(count):
            at = (965 + place * 56 + row * 27 + rng.normal(0, 4), 560 + row * 40 + rng.normal(0, 4))
            sphere(picture, at, 34 + rng.normal(0, 1.5), rgb(98, 44, 112) * rng.uniform(0.85, 1.2), 0.55)

    lower = np.clip((y - rim) / deep, 0, 1)
    wide = across * np.sqrt(np.clip(1 - lower**2.1, 0, 1)) * 0.86 + across * 0.14
    front = (
        inside(np.abs(x - middle) - wide, 2) * inside(y - rim - deep, 2) * inside(1 - np.where(y < rim, 0, 9) - opening, 0.02)
    )
    front *= (opening > 1) | (y > rim)
    lip = rim + 92 * np.sqrt(np.clip(1 - ((x - middle) / across) ** 2, 0, 1))
    front *= inside(lip - y, 2)
    u = (x - middle) / np.maximum(wide, 1)
    light = np.clip(0.78 - 0.5 * (u + 0.38) ** 2 - 0.42 * lower, 0.12, 1)
    glaze = gradient(lower, (0, (92, 150, 184)), (0.3, (52, 108, 150)), (1, (24, 58, 92)))
    band = np.exp(-((((y - lip) - 62) / 9) ** 2)) * 0.8
    bowl = glaze * (0.35 + light)[..., None]
    paint(bowl, rgb(238, 240, 232) * (0.35 + 0.75 * light)[..., None], band)
    bowl += (np.exp(-(((u + 0.52) / 0.1) ** 2)) * np.exp(-(((lower - 0.4) / 0.26) ** 2)) * 0.32)[..., None]
    paint(picture, bowl, front)
    paint(picture, rgb(206, 230, 240), np.exp(-(((y - lip) / 4) ** 2)) * (np.abs(x - middle) < across) * 0.85)
    return finished(picture, rng, 0.011)


def main() -> None:
    """Write the four photos and the file that is none."""
    mountain_lake(np.random.default_rng(1)).save(HERE / "mountain lake.jpg", quality=84, optimize=True)
    city_at_night(np.random.default_rng(2)).save(HERE / "city-at-night.jpg", quality=80, optimize=True)
    cat_at_window(np.random.default_rng(3)).save(HERE / "고양이 사진.png", optimize=True)
    fruit_bowl(np.random.default_rng(4)).save(HERE / "fruit+bowl.jpg", quality=84, optimize=True)
    (HERE / "not-a-picture.txt").write_text(NOT_A_PICTURE, encoding="utf-8")


if __name__ == "__main__":
    main()
