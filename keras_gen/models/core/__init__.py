"""The base of all systems: training, moving averages, conditions, generation, endpoints and saving.

`generative_model` is the base class; `adversarial` and `encoder_decoder` are the bases of two families, and
`class_conditional`, `text_conditional`, `penalized` and `iterative_sampling` are mixins. `protocols` lists the
interfaces that training, evaluation and export may require of a model.
"""
