"""The flow view's own colours are told apart and can be read on both themes."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STYLE = (ROOT / "assets" / "parts" / "flow.css").read_text()
BARS = ("init", "success", "error", "timeout", "crash")
MARKS = ("frozen", "outside", "notification", "queued", "batch")
THEMES = ("light", "dark")


def palette(theme: str) -> dict[str, str]:
    """Read the fixed colours of a theme from the style sheet."""
    found = re.search(rf'\.flow\[data-theme="{theme}"\] \{{(.*?)\}}', STYLE, re.DOTALL)
    assert found
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", found[1]))


def background(theme: str) -> str:
    """Read the page's background from Streamlit's configuration."""
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    return str(config["theme"][theme]["backgroundColor"])


def luminance(colour: str) -> float:
    """Compute the relative luminance of WCAG 2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Compute the contrast ratio of WCAG 2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_text_on_bars_can_be_read(theme: str) -> None:
    """Text in a bar has the contrast of small text."""
    colours = palette(theme)
    for bar in BARS:
        assert contrast(colours[bar], colours["onbar"]) >= 4.5, bar


@pytest.mark.parametrize("theme", THEMES)
def test_everything_stands_out_from_the_page(theme: str) -> None:
    """Shapes have the contrast of graphics; the red of words that of small text."""
    colours = palette(theme)
    for name in (*BARS, *MARKS):
        assert contrast(colours[name], background(theme)) >= 3, name
    assert contrast(colours["error"], background(theme)) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_soft_text_is_still_text(theme: str) -> None:
    """Secondary text is a mixture of ink and paper that keeps the contrast of small text."""
    found = re.search(r"--soft: color-mix\(in srgb, var\(--ink\) (\d+)%", STYLE)
    assert found
    share = int(found[1]) / 100
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"][theme]
    ink, paper = config["textColor"], config["backgroundColor"]
    mixed = [round(int(ink[at : at + 2], 16) * share + int(paper[at : at + 2], 16) * (1 - share)) for at in (1, 3, 5)]
    assert contrast("#" + "".join(f"{each:02x}" for each in mixed), paper) >= 4.5
