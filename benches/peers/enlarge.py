"""Scales a picture and saves it as JPEG, quality 90, colour at half the resolution, as cameras do.

    enlarge.py SOURCE [FOLDER/]WIDTHxHEIGHT.jpg...
"""

import re
import sys

from PIL import Image


def main():
    with Image.open(sys.argv[1]) as source:
        pixels = source.convert("RGB")
    for path in sys.argv[2:]:
        size = re.search(r"(\d+)x(\d+)\.jpg$", path)
        if not size:
            sys.exit(f"{path} does not end with WIDTHxHEIGHT.jpg")
        scaled = pixels.resize((int(size[1]), int(size[2])), Image.Resampling.LANCZOS)
        scaled.save(path, quality=90, subsampling="4:2:0")


if __name__ == "__main__":
    main()
