"""What is special about this lab's page: photos to upload, and each beside its thumbnail."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from urllib.parse import quote

import streamlit as st

from labs.page import LabPage
from labs.uploads import LARGEST_UPLOAD
from labs.web import file_url
from lessons.parts.component import ASSETS
from lessons.parts.sentences import file_size, sentences
from lessons.parts.upload import UploadLabels, upload
from lessons.text import table
from lessons.visit import Visit

MOST_SHOWN = 3
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
PICTURE_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*")
# Beside the lab's own samples: pictures whose names have a blank, Korean, or a plus sign.
MORE = ("고양이 사진.png", "fruit+bowl.jpg")


@dataclass(frozen=True)
class Offer:
    """A file that can be uploaded with one click."""

    id: str
    key: str
    file: Path

    @property
    def is_picture(self) -> bool:
        """Tell whether it can be shown."""
        return self.file.suffix in PICTURES


def stimulus(page: LabPage) -> None:
    """Offer a place to drop a file, and files to upload with one click."""
    visit, key = page.visit, page.key
    st.markdown(f"**{visit.t('upload.heading')}**")
    done = upload(
        f"{key}_upload",
        url=f"api/upload/{page.bench.workspace.run_id}?lang={visit.language}",
        labels=labels(visit),
        max_bytes=LARGEST_UPLOAD,
        on_upload=page.want,
    )
    if done is not None:
        taken = page.bench.workspace.take_upload(done.id)
        if taken is None:
            st.error(visit.t("upload.expired"), icon=":material/error:")
        else:
            _put(page, *taken)
    st.caption(visit.t("upload.samples"))
    offers = offered(page)
    with st.container(key="gallery", gap="small"):
        for row in (offers[:3], offers[3:]):
            for offer, column in zip(row, st.columns(3, gap="small", wrap=False), strict=False):
                with column:
                    _tile(page, offer)


def outcome(page: LabPage) -> None:
    """Show the newest photos, each beside its thumbnail."""
    visit, outputs = page.visit, page.bench.workspace.outputs
    st.markdown(f"**{visit.t('upload.result')}**")
    if name := st.session_state.get(f"{page.key}_no_picture"):
        st.info(visit.t("upload.not_image", name=f"`{name.replace('`', '')}`"), icon=":material/info:")
    photos = page.bench.objects(outputs["Photos"]) if "Photos" in outputs else []
    if not photos:
        st.html(f'<div class="lab-empty">{escape(visit.t("upload.nothing"))}</div>')
        return
    thumbnails = {each["key"]: each for each in page.bench.objects(outputs["Thumbnails"])}
    newest = sorted(photos, key=lambda each: each["modified"], reverse=True)
    pairs = "".join(_pair(page, each, thumbnails.get(each["key"])) for each in newest[:MOST_SHOWN])
    st.html(f'<div class="lab-pairs">{pairs}</div>')


def stored(outputs: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Name the buckets and tables to show."""
    buckets = [outputs[name] for name in ("Photos", "Thumbnails") if name in outputs]
    return buckets, [outputs[name] for name in ("Metadata",) if name in outputs]


def labels(visit: Visit) -> UploadLabels:
    """Return the words of the upload part."""
    words = table("upload", visit.language)
    return UploadLabels(**{name: words[name] for name in UploadLabels.__dataclass_fields__})


def offered(page: LabPage) -> Sequence[Offer]:
    """List the lab's samples and some more pictures."""
    samples = [Offer(sample.id, sample.key, sample.file) for sample in page.lab.samples]
    more = [Offer(f"more_{number}", name, ASSETS / "images" / name) for number, name in enumerate(MORE)]
    return [*samples[:2], *more, *samples[2:]]


def _tile(page: LabPage, offer: Offer) -> None:
    """Show a file with the button that uploads it; the button has the key that the object will have."""
    with st.container(border=True, gap="xsmall", key=f"tile_{offer.id}"):
        if offer.is_picture:
            st.html(f'<img src="{picture(offer.file)}" alt="" loading="lazy">')
        else:
            st.html('<div class="lab-file" aria-hidden="true">TXT</div>')
        label = offer.key.replace("+", "\\+")
        st.button(
            label,
            key=f"{page.key}_put_{offer.id}",
            type="tertiary",
            icon=":material/upload:",
            width="stretch",
            on_click=page.want,
            args=(f"put_{offer.id}",),
        )
    if page.wanted(f"put_{offer.id}"):
        _put(page, offer.key, offer.file.read_bytes())


@cache
def picture(file: Path) -> str:
    """Return an address of a picture that comes with the project."""
    if file.is_relative_to(ASSETS):
        return quote(f"assets/{file.relative_to(ASSETS).as_posix()}")
    kind = "jpeg" if file.suffix == ".jpg" else file.suffix[1:]
    return f"data:image/{kind};base64,{b64encode(file.read_bytes()).decode()}"


def _put(page: LabPage, name: str, body: bytes) -> None:
    deployed = page.bench.deployed
    st.session_state[f"{page.key}_no_picture"] = None if body.startswith(PICTURE_STARTS) else name
    with st.spinner(page.visit.t("upload.putting" if deployed else "run.deploying")):
        trouble = page.bench.upload(name, body)
    if page.complain(trouble) and not deployed:
        # The editor, which is drawn already, says whether its text is deployed.
        st.rerun()


def _pair(page: LabPage, photo: Mapping[str, object], thumbnail: Mapping[str, object] | None) -> str:
    visit, outputs = page.visit, page.bench.workspace.outputs
    name = str(photo["key"])
    before = _figure(page, outputs["Photos"], photo, visit.t("upload.original"))
    if thumbnail is None:
        after = f'<figure><div class="lab-none">{escape(visit.t("upload.no_thumbnail"))}</div></figure>'
    else:
        after = _figure(page, outputs["Thumbnails"], thumbnail, visit.t("upload.thumbnail"))
    return f'<section><h4><code>{escape(name)}</code></h4><div>{before}<span aria-hidden="true">→</span>{after}</div></section>'


def _figure(page: LabPage, bucket: str, found: Mapping[str, object], title: str) -> str:
    key = str(found["key"])
    caption = f"{title} · {file_size(float(str(found['size'])), sentences(page.visit.language))}"
    if key.lower().endswith(PICTURES):
        # The same key may hold another picture by now: another address makes the browser ask again.
        url = f"{file_url(page.bench.workspace.run_id, bucket, key)}?v={quote(str(found['modified']))}"
        picture = f'<img src="{escape(url)}" alt="{escape(f"{title}: {key}")}">'
    else:
        picture = '<div class="lab-file" aria-hidden="true">TXT</div>'
    return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"
