//! Contents
