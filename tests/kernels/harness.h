// What the kernel tests share: every fast table beside the plain C one, operands between guard
// bytes, and comparison.
#ifndef CJ_TESTS_KERNELS_HARNESS_H
#define CJ_TESTS_KERNELS_HARNESS_H

#include "kernels/kernels.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// A fast table, the truth of its dtype, and the distance from 1 to the next number.
typedef struct tables {
    const cj__kernels *ref, *fast;
    size_t real_size;
    double epsilon;
} tables;

// Calls `body` for each instruction set of this machine and both dtypes.
void for_each_table(void (*body)(const tables *t));

// A block of `count` elements of `size` bytes; its first element is aligned to its own size only,
// and guard bytes lie on both sides. New operands hold a pattern that is no result of anything.
typedef struct operand {
    unsigned char *block;
    void *data;
    int64_t count;
    size_t size;
} operand;

operand operand_new(int64_t count, size_t size);
void operand_free(operand *o); // fails the test when a guard byte has changed
double operand_at(const operand *o, int64_t i);
void operand_put(operand *o, int64_t i, double value); // rounds to the operand's size
void operand_copy(operand *to, const operand *from);

// Numbers in [low, high), and the same with a share of the worst: 0, -0, NaN, infinities,
// denormals, the greatest.
void fill_uniform(operand *o, double low, double high);
void fill_worst(operand *o);

// A number below `n`, from a sequence that is the same in every run.
int64_t pick(int64_t n);
double pick_uniform(double low, double high);

// |actual - expected| <= relative |expected| + absolute; NaN and infinities must agree.
void assert_close(const operand *actual, const operand *expected, double relative, double absolute,
                  const char *what, const tables *t);
void assert_same_bits(const operand *a, const operand *b, const char *what, const tables *t);

// How the tasks of a job are shared out: all at once, one by one from the last, or in ranges of
// random length.
typedef enum sharing { SHARE_ALL, SHARE_REVERSED, SHARE_RANDOM } sharing;
typedef void job_run(const void *context, void *workspace, int phase, int64_t begin, int64_t end);
void run_job(const cj__job *job, job_run *run, const void *context, sharing how);
// The job of a convolution, with scratch memory of its own.
void convolve(const cj__kernels *k, cj__conv2d_kind kind, const cj__conv2d_args *args, sharing how);

#endif
