/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The little that differs between the two compilers that build the shared headers: clang for BPF
 * (kernel types from vmlinux.h) and the host's compiler (types from the uapi headers). */
#ifndef RECONMON_PLATFORM_H
#define RECONMON_PLATFORM_H

#ifdef __bpf__
#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#else
#include <arpa/inet.h>
#include <linux/types.h>
#include <string.h>
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#define bpf_ntohs(x) ntohs(x)
#define bpf_htons(x) htons(x)
#define bpf_ntohl(x) ntohl(x)
#define bpf_htonl(x) htonl(x)
#endif

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the address words of packet.h are written for little-endian machines"
#endif

/* SLOW_PATH - a function that few packets reach. In BPF it is a function of its own: the 512 bytes
 * of stack then hold what the fast path needs, and the fast path stays short. */
#ifdef __bpf__
#define SLOW_PATH static __attribute__((noinline))
#else
#define SLOW_PATH static __always_inline
#endif

/* OPAQUE - hides from the optimiser where x comes from. Without it clang 14 turns the branch-free
 * masks of nursery.h back into branches, and each branch doubles what the verifier walks; it also
 * drops a final `x & mask` it can prove, which the verifier of Linux 6.1 needs to see. */
#define OPAQUE(x) asm volatile("" : "+r"(x))

/* CAS - compares and exchanges a 64-bit word; returns what it held before. A full barrier on both
 * sides (BPF: -mcpu=v3, Linux 5.12 and later). */
#define CAS(ptr, old, new) __sync_val_compare_and_swap(ptr, old, new)

/* LOAD reads a word that another CPU may change, STORE writes one whole. PUBLISH makes all writes
 * before it visible to whoever sees the new word: a store with release order, for which BPF had no
 * instruction before Linux 6.15, so there an exchange does it. */
#ifdef __bpf__
#define LOAD(ptr)	    (*(volatile __u64 *)(ptr))
#define STORE(ptr, value)   (*(volatile __u64 *)(ptr) = (value))
#define PUBLISH(ptr, value) ((void)__sync_lock_test_and_set(ptr, value))
#else
#define LOAD(ptr)	    __atomic_load_n(ptr, __ATOMIC_ACQUIRE)
#define STORE(ptr, value)   __atomic_store_n(ptr, value, __ATOMIC_RELAXED)
#define PUBLISH(ptr, value) __atomic_store_n(ptr, value, __ATOMIC_RELEASE)
#endif

#endif
