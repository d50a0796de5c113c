// WAV files: as they are, resampled, cut and mixed.
#define _XOPEN_SOURCE 700
#include "file_input.h"
#include <cajal.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = file_input(data, size);
    for (int i = 0; i < 3; i++) {
        cj_tensor *sound = NULL;
        int64_t rate = 0;
        cj_error_clear();
        const cj_status status = cj_load_wav(path, &sound, &rate, .sample_rate = i == 1 ? 8000 : 0,
                                             .length = i == 2 ? 5 : 0, .mono = i > 0);
        if (status != CJ_OK && (sound || !*cj_error()))
            abort();
        if (status == CJ_OK && (rate < 1 || cj_tensor_shape(sound)->rank != 2))
            abort();
        cj_release(sound);
    }
    return 0;
}
