// Data sets side by side.
#include "data/stages.h"

#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"

CJ__DEFAULTS(dataset_zip, DATASET_ZIP)

// Sets side by side: first those of inputs, then those of targets, then that of the weight.
typedef struct zip {
    cj__chain_stage stage;
    size_t spare; // bytes for targets and weights that the sets themselves have
} zip;

static cj_status read_zip(const cj__source *source, int64_t index, uint64_t pass,
                          void *const *places)
{
    const zip *z = (const zip *)source;
    int at = 0;
    char *spare = z->spare > 0 ? cj__new(1, z->spare) : NULL;
    cj_status status = spare || z->spare == 0 ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (int i = 0; status == CJ_OK && i < z->stage.from_count; i++) {
        const cj_dataset *from = z->stage.from[i];
        const int parts = cj__dataset_parts(from);
        void *few[CJ__PART_PLACES_FEW], **each = cj__part_places(few, parts);
        for (int p = 0; each && p < parts; p++)
            each[p] = p < from->x_count ? places[at + p] : spare;
        at += from->x_count;
        status = each ? cj__dataset_sample(from, index, pass, each) : CJ_OUT_OF_MEMORY;
        cj__part_places_end(each, few);
    }
    cj__free(spare);
    return status;
}

static size_t spare_of(const cj_dataset *data)
{
    size_t most = 0;
    for (int p = data->x_count; p < cj__dataset_parts(data); p++) {
        const size_t bytes = cj__part_bytes(data, p);
        most = bytes > most ? bytes : most;
    }
    return most;
}

// What is zipped: the sets in order, the types, and the number of samples.
typedef struct zipped {
    cj_dataset *sets[2 * CJ_IN_BRACES + 1];
    int set_count;
    cj__type *types; // of all parts
    size_t type_count, capacity;
    cj__parts parts;
    int64_t count;
} zipped;

// Adds the inputs of a set to the types; how many there are so far is counted in *count.
static cj_status add_types(const cj_dataset *data, zipped *z, int *count)
{
    CJ_TRY(cj__chain_check(data, "cj_dataset_zip"));
    if (!cj__reserve((void **)&z->types, &z->capacity, z->type_count + (size_t)data->x_count,
                     sizeof *z->types))
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < data->x_count; i++)
        z->types[z->type_count++] = cj__part_type(data, i);
    *count += data->x_count;
    return CJ_OK;
}

static cj_status add_weight(cj_dataset *data, zipped *z)
{
    z->sets[z->set_count++] = data;
    CJ_TRY(add_types(data, z, &z->parts.weight_count));
    const cj__type *last = &z->types[z->type_count - 1];
    if (z->parts.weight_count != 1 || last->dtype != CJ_F32 || cj_shape_count(&last->shape) != 1)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_dataset_zip: sample_weight needs one input, a float32 scalar");
    return CJ_OK;
}

static cj_status gather(const cj__list lists[2], cj_dataset *weight, zipped *z)
{
    cj_status status =
        lists[0].count > 0 ? CJ_OK : cj__fail(CJ_INVALID_ARGUMENT, "cj_dataset_zip: it has no x");
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < lists[k].count; i++) {
            cj_dataset *data = (cj_dataset *)(uintptr_t)lists[k].items[i];
            z->sets[z->set_count++] = data;
            if (status == CJ_OK)
                status = add_types(data, z, k == 0 ? &z->parts.x_count : &z->parts.y_count);
        }
    if (weight != &cj_no_dataset && status == CJ_OK)
        status = weight ? add_weight(weight, z) :
                          cj__fail_missing(CJ__MADE_DATASET, "cj_dataset_zip: sample_weight");
    else if (weight != &cj_no_dataset && weight)
        z->sets[z->set_count++] = weight;
    for (int i = 0; status == CJ_OK && i < z->set_count; i++)
        z->count = i == 0 || z->sets[i]->count < z->count ? z->sets[i]->count : z->count;
    return status;
}

cj_dataset *cj_dataset_zip_new(const cj_dataset_zip_args *args)
{
    cj_dataset_zip_args given;
    cj__list lists[2];
    zipped z = {.set_count = 0};
    if (cj__args_read("cj_dataset_zip", args, &dataset_zip_defaults, sizeof given, &given) != CJ_OK)
        return cj__build_failed(CJ__MADE_DATASET);
    const cj__given_list both[2] = {
        {"cj_dataset_zip: x", given.x, NULL, 0, CJ__MADE_DATASET, NULL},
        {"cj_dataset_zip: y", given.y, NULL, 0, CJ__MADE_DATASET, &cj_no_dataset}};
    cj_status status = cj__lists_read(both, 2, lists);
    const cj_status gathered = gather(lists, given.sample_weight, &z);
    if (status != CJ_OK || gathered != CJ_OK) {
        cj__chain_drop(z.sets, z.set_count);
        cj__free(z.types);
        return cj__build_failed(CJ__MADE_DATASET);
    }
    zip *stage = cj__chain_new(sizeof *stage, z.sets, z.set_count);
    if (!stage) {
        cj__free(z.types);
        return cj__build_failed(CJ__MADE_DATASET);
    }
    for (int i = 0; i < z.set_count; i++) {
        const size_t spare = spare_of(z.sets[i]);
        stage->spare = spare > stage->spare ? spare : stage->spare;
    }
    stage->stage.source.read = read_zip;
    z.parts.x = z.types;
    z.parts.y = z.types + z.parts.x_count;
    cj_dataset *data = cj__chain_finish(&stage->stage, &z.parts, z.count);
    cj__free(z.types);
    return data;
}
