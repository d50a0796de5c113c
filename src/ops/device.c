// Devices as counted objects: see device.h.
#include "ops/device.h"

#include "base/memory.h"

static void destroy(void *object)
{
    cj__device *device = object;
    if (device->kind->destroy)
        device->kind->destroy(device);
    cj__free(device);
}

static const cj__class device_class = {"device", destroy};

void *cj__device_new(const cj__device_kind *kind, size_t size)
{
    cj__device *device = cj__object_new(&device_class, size);
    if (device)
        device->kind = kind;
    return device;
}
