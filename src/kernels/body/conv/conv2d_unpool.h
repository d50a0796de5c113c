// A pool undone: rows of dy made of the pool's gradient and its places, for convolutions whose dy
// is read once.
//
//   dy[row][col][f] = pooled[row / pool_h][col / pool_w][f] if that is its place, else 0
#ifndef CJ_KERNELS_BODY_CONV_CONV2D_UNPOOL_H
#define CJ_KERNELS_BODY_CONV_CONV2D_UNPOOL_H

enum { UNPOOLED_BYTES = 96 << 10 }; // of a thread's scratch, so that what is made there stays near

ALWAYS_INLINE ivec places_of(const uint8_t *p, int64_t count)
{
    uint8_t bytes[LANES] = {0};
    if (count >= LANES)
        return ivec_from_bytes(p);
    memcpy(bytes, p, (size_t)count);
    return ivec_from_bytes(bytes);
}

// Rows of windows first .. last - 1 of an image.
static void unpool_rows(const cj__conv2d_args *a, int64_t image, int64_t first, int64_t last,
                        real *dy)
{
    const int64_t wide = a->s.ow / a->pool_w, high = a->s.oh / a->pool_h, filters = a->s.f,
                  row = a->s.ow * filters;
    for (int64_t i = first; i < last; i++, dy += a->pool_h * row) {
        for (int64_t j = 0; j < wide; j++) {
            const int64_t at = ((image * high + i) * wide + j) * filters;
            const real *from = (const real *)a->dy + at;
            real *corner = dy + j * a->pool_w * filters;
            for (int64_t f = 0; f < filters; f += LANES) {
                const int64_t count = min(LANES, filters - f);
                const vmask part = mask_first(count);
                const vec d = vec_load_part(from + f, part);
                const ivec place = places_of(a->dy_place + at + f, count);
                for (int64_t q = 0; q < a->pool_h * a->pool_w; q++) {
                    const vec share = (vec)((ivec)d & (place == ivec_set((lane_int)q)));
                    vec_store_part(corner + q / a->pool_w * row + q % a->pool_w * filters + f,
                                   share, part);
                }
            }
        }
    }
}

#endif
