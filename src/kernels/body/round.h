// Rounding to bfloat16, a vector at a time (round_vec.h).
#if CJ_REAL_BYTES == 4
static void round_bf16(int64_t n, const void *x, void *y)
{
    const real *from = x;
    real *to = y;
    EACH_VEC(n, PUT(to, vec_round_bf16(GET(from))););
}
#endif
