/**
 * A sandboxed interpreter of the part of Jinja2 that Hugging Face's chat templates use. A template sees the variables
 * that it is given and nothing else: no files, no network, no Java; it is a pure function of variables and clock, within
 * fixed limits of work, memory and depth. Values never become template text.
 */
@NullMarked
package dev.penstock.prompt.template;

import org.jspecify.annotations.NullMarked;
