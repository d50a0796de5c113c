/**
 * @file arrays.h
 * NumPy's files as tensors, and files that are mapped: read by the system as they are used, so that
 * they may be larger than memory.
 *
 * A mapped file must stay as it is while its tensor lives: one that becomes shorter ends the process
 * by a signal, as with any mapped file. What a program writes into the tensor is its own and does not
 * reach the file.
 */
#ifndef CAJAL_ARRAYS_H
#define CAJAL_ARRAYS_H

#include <cajal/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The arguments of cj_load_npy(). */
typedef struct cj_load_npy_args {
    size_t size; ///< bytes of the struct
    int _;       ///< what follows may be given by position
    /**
     * default false; true: the file is mapped where it holds the tensor's own bytes (this machine's
     * byte order; float32, float64, int32, int64, uint8), and read where it does not
     */
    bool mmap;
} cj_load_npy_args;
/** The defaults of cj_load_npy_args. */
#define CJ_LOAD_NPY_DEFAULTS .size = sizeof(cj_load_npy_args)
/** Sets `args` to CJ_LOAD_NPY_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_load_npy_defaults(cj_load_npy_args *args);
/**
 * Reads an array that `numpy.save()` wrote, format versions 1 to 3, in either byte order, in C or
 * Fortran order: `numpy.load(path)`. float32, float64, int32, int64, uint8 and bool keep their type;
 * float16 becomes float32; int8, int16 and uint16 become int32; uint32 and uint64 become int64; texts
 * (U and S) become CJ_STRING in UTF-8.
 *
 * `*tensor` receives a new tensor, to be released. CJ_INVALID_ARGUMENT (NULL), CJ_NOT_FOUND, CJ_IO,
 * CJ_BAD_FILE (no .npy file, a header that means nothing, fewer bytes than it tells, an uint64 above
 * 2^63 - 1), CJ_UNSUPPORTED (complex numbers, times, records, Python objects, more than 8 axes),
 * CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_load_npy_with(const char *path, cj_tensor **tensor,
                                  const cj_load_npy_args *args);
/** `cj_load_npy("x.npy", &x, .mmap = true)`. */
#define cj_load_npy(path, ...)                       \
    cj_load_npy_with(path, CJ__HEAD(__VA_ARGS__, ~), \
                     &(cj_load_npy_args){CJ_LOAD_NPY_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/**
 * Writes a tensor as a .npy file of version 1, in C order and this machine's byte order; bfloat16 as
 * float32. CJ_INVALID_ARGUMENT (NULL), CJ_IO, CJ_OUT_OF_MEMORY, CJ_UNSUPPORTED (texts).
 */
CJ_API cj_status cj_save_npy(const cj_tensor *tensor, const char *path);

/**
 * Reads one array of a .npz file (`numpy.savez()`, `numpy.savez_compressed()`) by its name, such as
 * "x_train" or "arr_0"; the sum of its bytes is checked. Statuses as cj_load_npy_with(), CJ_NOT_FOUND
 * also for a name that is not there (the sentence lists those that are), and CJ_UNSUPPORTED for a
 * library without zlib or an archive that is encrypted or packed in another way.
 */
CJ_API cj_status cj_load_npz(const char *path, const char *name, cj_tensor **tensor);
/**
 * The names of the arrays in a .npz file as texts (n), in the order of the file. `*names` receives a
 * new tensor, to be released. Statuses as cj_load_npz(), such as CJ_BAD_FILE.
 */
CJ_API cj_status cj_npz_names(const char *path, cj_tensor **names);

/**
 * cj_load_idx(), by mapping the file where it is not packed and holds bytes; other files are read. With
 * its statuses, such as CJ_BAD_FILE.
 */
CJ_API cj_status cj_map_idx(const char *path, cj_tensor **tensor);
/**
 * cj_load_cifar10(), by mapping the files: nothing is read before it is used. The training data, of
 * several files, are streamed (streams.h). Labels are checked by what trains. With its statuses, such
 * as CJ_NOT_FOUND.
 */
CJ_API cj_status cj_map_cifar10(cj_dataset **train, cj_dataset **test);

#ifdef __cplusplus
}
#endif
#endif
