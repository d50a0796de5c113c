// Prints every word of the library's catalogs, "kind name class_name": what tools/keras-coverage
// compares with Keras's.
#include "base/fields.h"
#include "layers/layer.h"
#include "train/losses.h"
#include "train/metrics.h"
#include "train/optimizer.h"
#include "train/schedule.h"

#include <stdio.h>

static void print(const char *kind, const cj__catalog *catalog)
{
    for (int i = 0; i < catalog->count; i++) {
        const cj__choice *row =
            (const void *)((const char *)catalog->rows + (size_t)i * catalog->stride);
        printf("%s %s %s\n", kind, row->name, row->class_name ? row->class_name : "");
    }
}

int main(void)
{
    for (const cj__layer_kind *const *kind = cj__layer_kinds; *kind; kind++)
        printf("layers %s\n", (*kind)->choice.class_name);
    print("activations", &cj__activations);
    print("initializers", &cj__initializers);
    print("regularizers", &cj__regularizers);
    print("constraints", &cj__constraints);
    print("losses", &cj__losses);
    print("metrics", &cj__metrics);
    print("optimizers", &cj__optimizers);
    print("schedules", &cj__schedules);
    return 0;
}
