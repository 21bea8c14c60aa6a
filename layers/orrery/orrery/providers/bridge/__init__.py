"""Operations that a provider does not have, served over one that it has."""
