// The loops of warp.c for one real type: WARP_REAL is the type, WARP(name) a function's name. Positions
// and weights are doubles in either, so that both types read the same pixels.

// A row of the result: y[j] = sum of weights times the pixels around its position in x.
static void WARP(warp_row)(const geometry *s, int64_t row, const WARP_REAL *x, WARP_REAL *y)
{
    for (int64_t col = 0; col < s->width; col++) {
        tap taps[TAPS];
        const int count = taps_of(s, row, col, taps);
        for (int64_t c = 0; c < s->channels; c++) {
            double sum = 0;
            for (int t = 0; t < count; t++)
                sum += taps[t].weight * (taps[t].at < 0 ? s->fill : (double)x[taps[t].at + c]);
            y[col * s->channels + c] = (WARP_REAL)sum;
        }
    }
}

// Adds what each pixel of dy had of the pixels of an image, in the order of dy.
static void WARP(warp_back)(const geometry *s, const WARP_REAL *dy, WARP_REAL *dx)
{
    for (int64_t row = 0; row < s->height; row++)
        for (int64_t col = 0; col < s->width; col++) {
            tap taps[TAPS];
            const int count = taps_of(s, row, col, taps);
            for (int t = 0; t < count; t++)
                for (int64_t c = 0; taps[t].at >= 0 && c < s->channels; c++)
                    dx[taps[t].at + c] +=
                        (WARP_REAL)(taps[t].weight *
                                    (double)dy[(row * s->width + col) * s->channels + c]);
        }
}
