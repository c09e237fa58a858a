#pragma once

// One API on every library from 1.10 on: the iteration and object-info calls changed in 1.12.
#define H5_USE_110_API 1
#include <hdf5.h>
#include <string.h>

// Function-like macros and globals that Swift cannot import, given one name each.

/// `H5F_ACC_TRUNC` expands to a check macro.
static inline unsigned chdf5_truncate(void) { return H5F_ACC_TRUNC; }
/// `H5F_ACC_EXCL` expands to a check macro.
static inline unsigned chdf5_exclusive(void) { return H5F_ACC_EXCL; }
/// `H5P_DEFAULT` carries a cast.
static inline hid_t chdf5_default(void) { return H5P_DEFAULT; }
/// `H5S_ALL` carries a cast.
static inline hid_t chdf5_whole_space(void) { return H5S_ALL; }
// Identifiers of classes and types are globals that `H5open` must initialise first.
static inline hid_t chdf5_dataset_create_class(void) { return H5P_DATASET_CREATE; }
static inline hid_t chdf5_link_create_class(void) { return H5P_LINK_CREATE; }
static inline hid_t chdf5_native_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t chdf5_native_ushort(void) { return H5T_NATIVE_USHORT; }
static inline hid_t chdf5_int64le(void) { return H5T_STD_I64LE; }
static inline hid_t chdf5_ieee_f32le(void) { return H5T_IEEE_F32LE; }
static inline hid_t chdf5_ieee_f64le(void) { return H5T_IEEE_F64LE; }
static inline hid_t chdf5_c_string(void) { return H5T_C_S1; }
/// `HADDR_UNDEF` carries a cast.
static inline haddr_t chdf5_undefined_address(void) { return HADDR_UNDEF; }

/// The calls whose names are versioned macros, under the 1.10 signatures.
static inline herr_t chdf5_iterate_links(
    hid_t group, hsize_t *position, H5L_iterate_t visit, void *context) {
  return H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, position, visit, context);
}
static inline herr_t chdf5_object_info(hid_t object, H5O_info_t *info) {
  return H5Oget_info(object, info);
}

/// The buffer that stands for the file: reads of the image copy from it, nothing writes to it.
struct chdf5_image { void *bytes; size_t count; };

static void *chdf5_image_allocate(size_t count, H5FD_file_image_op_t op, void *context) {
  struct chdf5_image *image = (struct chdf5_image *)context;
  (void)op;
  return count == image->count ? image->bytes : NULL;
}
static void *chdf5_image_copy(
    void *to, const void *from, size_t count, H5FD_file_image_op_t op, void *context) {
  (void)op; (void)context;
  return to == from ? to : memmove(to, from, count);
}
static void *chdf5_image_grow(void *bytes, size_t count, H5FD_file_image_op_t op, void *context) {
  (void)bytes; (void)count; (void)op; (void)context;
  return NULL;
}
static herr_t chdf5_image_release(void *bytes, H5FD_file_image_op_t op, void *context) {
  (void)bytes; (void)op; (void)context;
  return 0;
}
static void *chdf5_image_keep(void *context) { return context; }
static herr_t chdf5_image_forget(void *context) { (void)context; return 0; }

/// Opens `image` as a read-only HDF5 file without copying it and without touching the file system.
///
/// `image` must outlive the returned file.
static inline hid_t chdf5_open_image(struct chdf5_image *image) {
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  if (access < 0) return -1;
  H5FD_file_image_callbacks_t callbacks = {
      chdf5_image_allocate, chdf5_image_copy, chdf5_image_grow, chdf5_image_release,
      chdf5_image_keep, chdf5_image_forget, image};
  hid_t file = -1;
  if (H5Pset_fapl_core(access, 1 << 16, 0) >= 0 &&
      H5Pset_file_image_callbacks(access, &callbacks) >= 0 &&
      H5Pset_file_image(access, image->bytes, image->count) >= 0)
    file = H5Fopen("image", H5F_ACC_RDONLY, access);
  H5Pclose(access);
  return file;
}
