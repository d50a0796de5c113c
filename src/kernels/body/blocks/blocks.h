// Blocks of images: LANES images at a time lie innermost, one in each lane (see `lanes` in
// kernels.h). A block of images of `size` elements is a matrix of size x LANES, so going there and
// back is a transpose of LANES x LANES squares.
#ifndef CJ_KERNELS_BODY_BLOCKS_BLOCKS_H
#define CJ_KERNELS_BODY_BLOCKS_BLOCKS_H

// Images of block b, at most LANES.
static int64_t images_of_block(int64_t n, int64_t block)
{
    return min(LANES, n - block * LANES);
}

static void to_blocks(int64_t n, int64_t size, const void *x, void *y, int64_t begin, int64_t end)
{
    for (int64_t block = begin; block < end; block++) {
        const real *from = (const real *)x + block * LANES * size;
        real *to = (real *)y + block * LANES * size;
        const int64_t images = images_of_block(n, block);
        for (int64_t at = 0; at < size; at += LANES) {
            const int64_t count = min(LANES, size - at);
            const vmask part = mask_first(count);
            vec square[LANES];
            for (int64_t i = 0; i < LANES; i++)
                square[i] = i >= images    ? vec_set(0) :
                            count == LANES ? vec_load(from + i * size + at) :
                                             vec_load_part(from + i * size + at, part);
            vec_transpose(square);
            for (int64_t i = 0; i < count; i++)
                vec_store(to + (at + i) * LANES, square[i]);
        }
    }
}

static void to_blocks_u8(int64_t n, int64_t size, const uint8_t *x, double scale, double offset,
                         void *y, int64_t begin, int64_t end)
{
    const vec factor = vec_set((real)scale), rest = vec_set((real)offset);
    for (int64_t block = begin; block < end; block++) {
        const uint8_t *from = x + block * LANES * size;
        real *to = (real *)y + block * LANES * size;
        const int64_t images = images_of_block(n, block);
        for (int64_t at = 0; at < size; at += LANES) {
            const int64_t count = min(LANES, size - at);
            vec square[LANES];
            for (int64_t i = 0; i < LANES; i++) {
                uint8_t bytes[LANES] = {0};
                if (i < images)
                    memcpy(bytes, from + i * size + at, (size_t)count);
                square[i] = i < images ? vec_fma(vec_from_bytes(bytes), factor, rest) : vec_set(0);
            }
            vec_transpose(square);
            for (int64_t i = 0; i < count; i++)
                vec_store(to + (at + i) * LANES, square[i]);
        }
    }
}

static void from_blocks(int64_t n, int64_t size, const void *x, void *y, int64_t begin, int64_t end)
{
    for (int64_t block = begin; block < end; block++) {
        const real *from = (const real *)x + block * LANES * size;
        real *to = (real *)y + block * LANES * size;
        const int64_t images = images_of_block(n, block);
        for (int64_t at = 0; at < size; at += LANES) {
            const int64_t count = min(LANES, size - at);
            const vmask part = mask_first(count);
            vec square[LANES];
            for (int64_t i = 0; i < LANES; i++)
                square[i] = i < count ? vec_load(from + (at + i) * LANES) : vec_set(0);
            vec_transpose(square);
            for (int64_t i = 0; i < images; i++)
                vec_store_part(to + i * size + at, square[i], part);
        }
    }
}

#endif
