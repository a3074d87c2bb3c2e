"""What is written into a file, before it is known which kind of file."""

from __future__ import annotations

from dataclasses import dataclass

from core.recipe_files import exif, xmp

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC's term for a picture that a model made of another picture; platforms read it for their "AI" label."""


@dataclass(frozen=True)
class Labels:
    """What a file is to hold.

    Attributes:
        tool: what made the picture, with its version.
        recipe: as JSON; None writes the AI mark alone.
        infotext: the settings as AUTOMATIC1111 writes them; None as above.
    """

    tool: str
    recipe: str | None = None
    infotext: str | None = None

    @property
    def marks(self) -> dict[str, str]:
        """The XMP properties of every file."""
        return {xmp.DIGITAL_SOURCE_TYPE: SOURCE_TYPE, xmp.CREATOR_TOOL: self.tool}

    @property
    def properties(self) -> dict[str, str]:
        """The XMP properties of a file that has no other place for the recipe."""
        return self.marks if self.recipe is None else {**self.marks, xmp.RECIPE: xmp.safe_json(self.recipe)}

    def exif(self, old: bytes | None, most: int | None = None) -> bytes | None:
        """Return the file's EXIF with the settings as its comment.

        Args:
            old: the EXIF that the file has; None where it has none.
            most: bytes that fit; a comment that is too long for them is left out.

        Returns:
            TIFF bytes, without the letters that JPEG puts before them; None where there is nothing to write.
        """
        if self.infotext is not None:
            made = exif.with_comment(old, self.infotext)
            if most is None or len(made) <= most:
                return made
        return None if old is None else exif.without_comment(old)
