#pragma once
#include <png.h>
#include <string.h>

/// Writes `pixels` (row-major, `channels` 1 for grey or 3 for RGB, 8 bits each) to `path`.
///
/// libpng's simplified API reports errors by value; the classic one jumps over Swift frames.
/// Returns 0, or 1 with up to 64 bytes of explanation in `message`.
static inline int cpng_write(
    const char *path, const unsigned char *pixels, unsigned width, unsigned height,
    unsigned channels, char message[64]) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = width;
  image.height = height;
  image.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  int written = png_image_write_to_file(&image, path, 0, pixels, 0, NULL);
  memcpy(message, image.message, 64);
  png_image_free(&image);
  return written ? 0 : 1;
}
