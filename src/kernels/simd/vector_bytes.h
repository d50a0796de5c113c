// Bytes to lanes and back by the compiler's vector extension, for instruction sets without a header
// that does it better: compilers tend to convert lane by lane.
#ifndef CJ_KERNELS_SIMD_VECTOR_BYTES_H
#define CJ_KERNELS_SIMD_VECTOR_BYTES_H

// LANES bytes as reals.
typedef uint8_t byte_lanes __attribute__((vector_size(VEC_BYTES / CJ_REAL_BYTES)));
ALWAYS_INLINE vec vec_from_bytes(const uint8_t *p)
{
    byte_lanes bytes;
    memcpy(&bytes, p, sizeof bytes);
    return __builtin_convertvector(__builtin_convertvector(bytes, ivec), vec);
}

// 1 or 0 bytes from lanes of -1 or 0.
ALWAYS_INLINE void bytes_store(uint8_t *p, ivec lanes)
{
    const byte_lanes bytes = __builtin_convertvector(lanes & 1, byte_lanes);
    memcpy(p, &bytes, sizeof bytes);
}

// The lanes of bytes as integers.
ALWAYS_INLINE ivec ivec_from_bytes(const uint8_t *p)
{
    byte_lanes bytes;
    memcpy(&bytes, p, sizeof bytes);
    return __builtin_convertvector(bytes, ivec);
}

ALWAYS_INLINE void ivec_store_bytes(uint8_t *p, ivec lanes)
{
    const byte_lanes bytes = __builtin_convertvector(lanes, byte_lanes);
    memcpy(p, &bytes, sizeof bytes);
}

#endif
