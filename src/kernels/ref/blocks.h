// Blocks of one image each: then blocks and channels-last images are the same, and so are their
// kernels. See `lanes` in kernels.h.
static void to_blocks(int64_t n, int64_t size, const void *x, void *y, int64_t begin, int64_t end)
{
    (void)n;
    memcpy((real *)y + begin * size, (const real *)x + begin * size,
           (size_t)((end - begin) * size) * sizeof(real));
}

static void to_blocks_u8(int64_t n, int64_t size, const uint8_t *x, double scale, double offset,
                         void *y, int64_t begin, int64_t end)
{
    (void)n;
    for (int64_t i = begin * size; i < end * size; i++)
        ((real *)y)[i] = (real)(x[i] * scale + offset);
}

static bool blocks_pay(const cj__conv2d_args *a)
{
    (void)a;
    return false;
}
