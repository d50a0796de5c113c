// The complete table of the instruction set that a body is compiled for: its own entries, and plain
// C's where it has none.
#ifndef CJ_KERNELS_BODY_OWN_TABLE_H
#define CJ_KERNELS_BODY_OWN_TABLE_H

#include "kernels/tables.h"

ALWAYS_INLINE const cj__kernels *own_table(void)
{
    return &cj__tables[ISA][CJ_REAL_BYTES == 8];
}

#endif
