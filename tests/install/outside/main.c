// The smallest program that needs both the headers and the library.
#include <cajal/tensor.h>
#include <string.h>

int main(void)
{
    cj_tensor *tensor;
    const cj_status status = cj_tensor_new(CJ_F32, CJ_SHAPE(2, 2), &tensor);
    if (status != CJ_OK)
        return cj_report(status);
    cj_tensor_print(tensor, stdout);
    cj_release(tensor);
    return strcmp(cj_version(), CJ_VERSION) != 0;
}
