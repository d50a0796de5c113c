// The complete table of the instruction set that a body is compiled for: its own entries, and plain
// C's where it has none.
#include "kernels/tables.h"

ALWAYS_INLINE const cj__kernels *own_table(void)
{
    return &cj__tables[ISA][CJ_REAL_BYTES == 8];
}
