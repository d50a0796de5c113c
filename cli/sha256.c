#include "sha256.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <zlib.h>

bool sha256_file(const char *path, char sum[65])
{
    gzFile file = gzopen(path, "rb"); // reads plain files too
    if (!file)
        return false;
    struct sha256_ctx context;
    sha256_init(&context);
    unsigned char block[65536];
    int read = 0;
    while ((read = gzread(file, block, sizeof(block))) > 0)
        sha256_update(&context, (size_t)read, block);
    bool whole = read == 0 && gzclose(file) == Z_OK;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(&context, sizeof(digest), digest);
    for (int i = 0; i < SHA256_DIGEST_SIZE; i++)
        snprintf(sum + 2 * i, 3, "%02x", digest[i]);
    return whole;
}
