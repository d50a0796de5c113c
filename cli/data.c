// Data sets for the commands.
#include "arrays.h"
#include "language.h"
#include "table.h"

#include <string.h>

cj_status load_data(const char **name, const cj_model *model, own_data *own, cj_dataset **train,
                    cj_dataset **test)
{
    if (strcmp(*name, "auto") == 0 && model && noted_data(model))
        *name = noted_data(model);
    static const char *const found_first[] = {"mnist", "fashion-mnist", "digits"};
    own->tokens = own->tokens || is_language_model((cj_model *)(uintptr_t)model);
    if (is_text_data(*name) && own->tokens)
        return load_next_bytes(*name, (cj_model *)(uintptr_t)model, own->window, train, test);
    if (own->tokens)
        return cj_fail(CJ_INVALID_ARGUMENT,
                       "a model of language learns from one text: --data text:FILE, not %s", *name);
    if (is_text_data(*name))
        return load_text_data(*name, train, test);
    if (is_folder_data(*name))
        return load_folder_data(*name, model, own, train, test);
    if (is_array_data(*name))
        return load_array_data(*name, model, own, train, test);
    if (is_table_data(*name))
        return load_table_data(*name, model, &own->schema, train, test);
    const bool automatic = strcmp(*name, "auto") == 0;
    cj_status status = CJ_NOT_FOUND;
    for (int i = 0; automatic && i < 3 && status == CJ_NOT_FOUND; i++) {
        cj_error_clear();
        *name = found_first[i];
        status = cj_load_dataset(*name, train, test);
    }
    if (!automatic)
        status = cj_load_dataset(*name, train, test);
    if (status == CJ_NOT_FOUND)
        return cj_fail(status,
                       "%s; `cajal datasets fetch %s` gets it or says how; CAJAL_DATA names the "
                       "folder where it lies",
                       cj_error(), *name);
    return status;
}

cj_status limit_samples(cj_dataset **data, int64_t limit)
{
    cj_dataset *slice = NULL;
    if (limit == 0 || limit >= cj_dataset_count(*data))
        return CJ_OK;
    CJ_TRY(cj_dataset_slice(*data, 0, limit, &slice));
    cj_release(*data);
    *data = slice;
    return CJ_OK;
}
