// Between the files of the pass fuse_elements: finding groups (fuse_elements.c), and making an
// instruction of one (join_elements.c).
#ifndef CJ_GRAPH_PASSES_ELEMENTS_H
#define CJ_GRAPH_PASSES_ELEMENTS_H

#include "graph/program.h"
#include "ops/elements.h"

enum { CJ__ELEMENTS_MEMBERS = 24 };

// Instructions that can run as one, in order; all have one domain.
typedef struct cj__element_group {
    int members[CJ__ELEMENTS_MEMBERS];
    int count;
    bool open; // nothing outside reads what its members make, so far
    int place; // the member in whose place the joined instruction stands: the last of an open group
    int moved_to; // the group that has its members now; -1 where they are
} cj__element_group;

// How operands of a group lie.
typedef struct cj__element_operands {
    int inputs[CJ__ELEMENTS_OPERANDS], outputs[CJ__ELEMENTS_OPERANDS];
    int input_count, output_count, number_count, reduction_count;
    int full_outputs; // those of the domain's shape come first, of them the last one made
} cj__element_operands;

// The shape over which an instruction works; NULL if it cannot be joined to others.
const cj_shape *cj__element_domain(const cj__program *program, const cj__instruction *instruction);

// What the instruction of a group reads and writes; `uses` counts the readers of each value. False
// if that is too much for one.
bool cj__find_element_operands(const cj__program *program, const cj__element_group *group,
                               const int *uses, cj__element_operands *operands);

// Whether an operand of some instruction is a scalar constant, which costs no operand of the joined
// one.
bool cj__is_element_number(const cj__value_info *value);

// Puts one instruction in a group's place and takes out its members. A group that
// has too many steps stays as it is.
cj_status cj__join_elements(cj__program *program, const cj__element_group *group, const int *uses,
                            const cj__element_operands *operands);

// How the instruction of a group reads a value that an `unstack` makes: the entry where it lies,
// without the copy; or, where the operand of that is an element-wise result of two that nobody else
// reads, the same of their entries (element_entries.c).
typedef struct cj__element_part {
    int values[2]; // the second: -1 for none
    cj__element_entry entry;
    const cj__instruction *made_by; // of two values
} cj__element_part;
// False if it has to read the value as it is.
bool cj__find_element_part(const cj__program *program, const cj__element_group *group,
                           const int *uses, int value, cj__element_part *part);
// How often the members of a group read a value.
int cj__reads_within(const cj__program *program, const cj__element_group *group, int value);

#endif
