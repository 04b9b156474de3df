"""What wins leads: segments and trends, touches, traits of won leads, the ideal customer, the grid."""
