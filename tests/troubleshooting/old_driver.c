/* A CUDA driver that is there and says of itself that it is old, for test_running.py. */
#include <dlfcn.h>

int cuInit(unsigned flags) { return 0; }

int cuDriverGetVersion(int *version) {
    *version = 11040;
    return 0;
}

int cuGetProcAddress_v2(const char *name, void **function, int version, unsigned long flags, void *status) {
    *function = dlsym(RTLD_DEFAULT, name);
    return *function ? 0 : 500; /* CUDA_ERROR_NOT_FOUND */
}

int cuGetProcAddress(const char *name, void **function, int version, unsigned long flags) {
    return cuGetProcAddress_v2(name, function, version, flags, 0);
}
