using Postern.Policy.Config;

namespace Postern.Policy.Compile;

/// <summary>A rule on its way through the compiler: hashed once, however many port ranges it ends up in.</summary>
internal sealed class RuleEntry(PortRuleConfig config, RuleBody body)
{
    /// <summary>What is added when an empty list ("allow all") is merged with rules: it keeps saying so, at precedence 0.</summary>
    public static readonly RuleEntry DefaultAllow = new(
        new PortRuleConfig { Name = "default allow rule" },
        new RuleBody
        {
            Verdict = RuleVerdict.Allow,
            Precedence = 0,
            PassPrecedence = 0,
            ProxyId = 0,
            Name = "default allow rule",
            ServerNames = null,
            HttpRules = null,
            IsOtherProtocol = false,
            L7Proto = "",
            L7Rules = null,
            Downstream = null,
            Upstream = null,
        });

    public PortRuleConfig Config { get; } = config;

    public RuleBody Body { get; } = body;

    public int Hash { get; } = config.GetHashCode();
}
