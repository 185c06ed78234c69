/** @file The public entry point: everything a program that uses dip-r1 as a library needs. */
export * from "./base/index.js";
