// Spectra of sequences: the attributes of the ops of fourier.c, and the word for expressions.
#ifndef CJ_OPS_FOURIER_H
#define CJ_OPS_FOURIER_H

#include "ops/build.h"

enum { CJ__WINDOW_ONES, CJ__WINDOW_HANN, CJ__WINDOW_HAMMING };

typedef struct cj__stft_attrs {
    int64_t fft_length;      // steps of a frame, and of its transform
    int64_t stride;          // steps between the beginnings of two frames
    int64_t sequence_length; // of the window, in the middle of a frame
    int64_t window;          // CJ__WINDOW_..., periodic
    int64_t length;          // of x: for the gradient
} cj__stft_attrs;
CJ__NO_PADDING(cj__stft_attrs, 5 * sizeof(int64_t));

// The frequencies of a frame of n steps: n / 2 + 1.
static inline int64_t cj__stft_bins(int64_t fft_length)
{
    return fft_length / 2 + 1;
}

// x (n, t) becomes (n, frames, 2 bins): real parts, then imaginary ones; see fourier.c.
cj_symbol *cj__stft(cj__build *g, cj_symbol *x, const cj__stft_attrs *attrs);

#endif
