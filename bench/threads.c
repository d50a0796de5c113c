// What sharing work between threads costs and gains: pieces of 1 to 200 microseconds on one thread and on two, alone and
// inside an entered pool; the cost of an empty piece; and of a first piece when the workers are asleep. For each the
// least of several rounds, in turns.
//
//   threads [threads]
#define _POSIX_C_SOURCE 200809L
#include "base/threads.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 15, TASKS = 16 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + 1e-3 * (double)t.tv_nsec;
}

static void spin_task(void *context, int64_t begin, int64_t end)
{
    const int64_t loops = *(const int64_t *)context * (end - begin);
    for (volatile int64_t i = 0; i < loops;)
        i = i + 1;
}

static void empty_task(void *context, int64_t begin, int64_t end)
{
    (void)context, (void)begin, (void)end;
}

static double pieces(cj_pool *pool, int64_t loops, int repeats)
{
    const bool entered = cj__pool_enter(pool);
    const double begin = now();
    for (int i = 0; i < repeats; i++)
        cj__parallel(pool, TASKS, 1, spin_task, &loops);
    const double took = (now() - begin) / repeats;
    if (entered)
        cj__pool_leave(pool);
    return took;
}

static double empty(cj_pool *pool, bool enter)
{
    enum { REPEATS = 20000 };
    const bool entered = enter && cj__pool_enter(pool);
    const double begin = now();
    for (int i = 0; i < REPEATS; i++)
        cj__parallel(pool, TASKS, 1, empty_task, NULL);
    const double took = (now() - begin) / REPEATS * 1e3;
    if (entered)
        cj__pool_leave(pool);
    return took;
}

// A first piece of 20 microseconds when everybody sleeps.
static double woken(cj_pool *pool, int64_t loops)
{
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    const double begin = now();
    cj__parallel(pool, TASKS, 1, spin_task, &loops);
    return now() - begin;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

int main(int argc, char **argv)
{
    static const double sizes[] = {1, 2, 5, 10, 20, 50, 100, 200};
    const int threads = argc > 1 ? atoi(argv[1]) : 2;
    cj_pool *one = cj_pool_new(1), *many = cj_pool_new(threads);
    if (!one || !many)
        return 1;
    double per_loop = 1e9;
    for (int i = 0; i < ROUNDS; i++)
        per_loop = least(per_loop, pieces(one, 1000, 100) / (1000 * TASKS));
    printf("%-12s %12s %9d threads %9s\n", "work, us", "1 thread", threads, "gain");
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        const int64_t loops = (int64_t)(sizes[s] / TASKS / per_loop) + 1;
        double alone = 1e9, shared = 1e9;
        for (int i = 0; i < ROUNDS; i++) {
            alone = least(alone, pieces(one, loops, 200));
            shared = least(shared, pieces(many, loops, 200));
        }
        printf("%-12.0f %12.2f %17.2f %9.2f\n", sizes[s], alone, shared, alone / shared);
    }
    double inside = 1e9, outside = 1e9, first = 1e9, first_alone = 1e9;
    const int64_t loops = (int64_t)(20 / TASKS / per_loop) + 1;
    for (int i = 0; i < ROUNDS; i++) {
        inside = least(inside, empty(many, true));
        outside = least(outside, empty(many, false));
        first = least(first, woken(many, loops));
        first_alone = least(first_alone, woken(one, loops));
    }
    printf("an empty piece: %.0f ns, %.0f ns where the pool was not entered\n", inside, outside);
    printf("20 us of work after a pause: %.1f us on 1 thread, %.1f on %d\n", first_alone, first, threads);
    cj_release(one);
    cj_release(many);
    return 0;
}
