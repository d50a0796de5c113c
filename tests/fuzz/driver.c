// Runs a fuzz target without a fuzzer: each file of its corpus as it is, cut off after each of its
// bytes, and with each of its bytes turned round, then bounded, repeatable mutations of them. A fuzz target is a file beside this one with libFuzzer's entry point; what it
// is given may be refused with a sentence, and nothing else may happen.
//
//     fuzz-NAME CORPUS [MUTATIONS]        each file gives MUTATIONS variants, 200 if left out
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    INPUT_MAX = 1 << 20,
    PLACES_MAX =
        1000 // where a file is cut off and changed: all of its bytes, or every second one, ...
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Steele and Lea's SplitMix64: the same variants on every machine.
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

// One change: a byte set, a bit turned, an interesting number put, a part taken out or said twice,
// or the end cut off. Returns the new size.
static size_t change(uint8_t *data, size_t size, uint64_t *state)
{
    static const uint32_t numbers[] = {0,      1,          0x7f,       0xff,
                                       0xffff, 0x7fffffff, 0x80000000, 0xffffffff};
    if (size == 0)
        return 0;
    const size_t at = next(state) % size, left = size - at;
    const size_t length = 1 + next(state) % (left < 32 ? left : 32);
    switch (next(state) % 6) {
    case 0:
        data[at] = (uint8_t)next(state);
        return size;
    case 1:
        data[at] ^= (uint8_t)(1u << next(state) % 8);
        return size;
    case 2:
        memcpy(data + at, &numbers[next(state) % 8], left < 4 ? left : 4);
        return size;
    case 3:
        memmove(data + at, data + at + length, left - length);
        return size - length;
    case 4:
        if (size + length > INPUT_MAX)
            return size;
        memmove(data + at + length, data + at, left);
        return size + length;
    default:
        return at;
    }
}

// The bytes are handed over in a block of exactly their size, so that a sanitizer sees a read past
// the end.
static int try_input(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact)
        return 1;
    memcpy(exact, data, size);
    const int failed = LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return failed;
}

// Each truncation, and each byte turned round.
static int try_places(uint8_t *seed, size_t size)
{
    int failed = 0;
    for (size_t at = 0; at < size && !failed; at += size / PLACES_MAX + 1) {
        failed = try_input(seed, at);
        seed[at] ^= 0xff;
        failed = failed || try_input(seed, size);
        seed[at] ^= 0xff;
    }
    return failed;
}

static int try_variants(const uint8_t *seed, size_t size, long mutations, uint64_t *state)
{
    uint8_t *data = malloc(INPUT_MAX);
    int failed = !data;
    for (long i = 0; i < mutations && !failed; i++) {
        memcpy(data, seed, size);
        size_t changed = size;
        for (uint64_t changes = 1 + next(state) % 4; changes > 0; changes--)
            changed = change(data, changed, state);
        failed = try_input(data, changed);
    }
    free(data);
    return failed;
}

static int try_file(const char *path, long mutations, uint64_t *state)
{
    FILE *stream = fopen(path, "rb");
    uint8_t *seed = malloc(INPUT_MAX);
    const size_t size = stream && seed ? fread(seed, 1, INPUT_MAX, stream) : 0;
    const int failed = !stream || !seed || ferror(stream) || try_input(seed, size) ||
                       try_places(seed, size) || try_variants(seed, size, mutations, state);
    if (failed)
        fprintf(stderr, "failed on %s\n", path);
    free(seed);
    if (stream)
        fclose(stream);
    return failed;
}

// Files in order of their names, so that a run can be repeated.
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s CORPUS [MUTATIONS]\n", argv[0]);
        return 2;
    }
    const long mutations = argc > 2 ? strtol(argv[2], NULL, 10) : 200;
    struct dirent **entries;
    const int count = scandir(argv[1], &entries, is_visible, by_name);
    uint64_t state = 1;
    int failed = count <= 0;
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], entries[i]->d_name);
        failed = failed || try_file(path, mutations, &state);
        free(entries[i]);
    }
    if (count > 0)
        free(entries);
    printf("%d files, %ld variants of each\n", count < 0 ? 0 : count, mutations);
    return failed;
}
