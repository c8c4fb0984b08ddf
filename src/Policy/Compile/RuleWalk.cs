namespace Postern.Policy.Compile;

/// <summary>Walks the rules that concern one identity in evaluation order: its own and the any-identity ones, merged; pass jumps included.</summary>
internal ref struct RuleWalk
{
    private readonly RuleBody[] any;
    private readonly RuleClass own;
    private int anyAt;
    private int ownAt;
    private ulong below; // rules at or above this precedence are jumped over

    public RuleWalk(RuleBody[] any, RuleClass own)
    {
        this.any = any;
        this.own = own;
        below = ulong.MaxValue;
    }

    /// <summary>The next rule, or null at the end.</summary>
    public RuleBody? Next()
    {
        while (true)
        {
            RuleBody rule;
            if (ownAt < own.Bodies.Length && own.Gaps[ownAt] <= anyAt)
            {
                rule = own.Bodies[ownAt++];
            }
            else if (anyAt < any.Length)
            {
                rule = any[anyAt++];
            }
            else
            {
                return null;
            }
            if (rule.Precedence < below)
            {
                return rule;
            }
        }
    }

    /// <summary>A pass rule matched: go on with the first rule below its pass_precedence.</summary>
    public void JumpBelow(uint passPrecedence) => below = passPrecedence;
}
