// SHA-256 of what a file holds, by the nettle library; a gzip file is looked at unpacked, so that
// it does not matter how it was packed.
#ifndef CLI_SHA256_H
#define CLI_SHA256_H

#include <stdbool.h>

// Writes 64 hexadecimal digits. False if the file cannot be read.
bool sha256_file(const char *path, char sum[65]);

#endif
