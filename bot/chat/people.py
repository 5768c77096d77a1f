"""Members, as the desk knows them."""

import discord


def roles_of(user: discord.Member) -> frozenset[int]:
    """The ids of the roles that somebody was given."""
    # discord.py adds the guild's own @everyone role, which Discord doesn't send and nobody was given.
    return frozenset(role.id for role in user.roles if not role.is_default())
