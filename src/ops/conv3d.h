// Inside the ops room: how 3-D convolutions run (conv3d_run.c), for their rows (conv3d.c).
#ifndef CJ_OPS_CONV3D_H
#define CJ_OPS_CONV3D_H

#include "ops/build.h"

enum { CJ__CONV3D_AXES = 3 };

// What a call works out once, when it is planned.
typedef struct cj__conv3d_setup {
    cj__conv2d_args args; // of the planes' images, without pointers
    cj__job images, job;  // the kernel's own, and all of it
    bool is_images;       // the volume is the images as it lies
    int turns, gathers;   // phases that turn the filters before, and that make the images: 0 or 1
    int64_t depth, out_depth, front, channels, plane; // plane: pixels of a plane of the volume
    size_t image_bytes, filter_bytes, real;
    double flops;
} cj__conv3d_setup;

// The 2-D convolution of the planes: cj__convolution.args.
cj__conv2d_args cj__conv3d_args(const cj__call *call);

// Members of the ops' structs.
void cj__conv3d_set_up(const cj__call *call, void *setup);
size_t cj__conv3d_workspace(const cj__call *call);
cj__prepared cj__conv3d_prepared(const cj__call *call);
cj_status cj__conv3d_run(const cj__call *call);
double cj__conv3d_flops(const cj__call *call);
const char *cj__conv3d_form(const cj__call *call);

#endif
